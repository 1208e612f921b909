"""Keys of the user's own: whether there are such actions, and such keys."""

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, Keys

from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["bindings", "require_keys"]

_MODIFIERS = frozenset(("ctrl", "shift", "alt", "meta", "super", "hyper"))
_NAMED = frozenset((*(key.value for key in Keys), *KEY_TO_UNICODE_NAME, *KEY_NAME_REPLACEMENTS.values()))


def bindings() -> list[Binding]:
    """Every binding that is ours: of widgets, screens and the application."""
    for package in ("tui", "tui.screens", "tui.widgets"):
        for module in iter_modules(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    found: list[Binding] = []
    classes: list[type] = [DOMNode]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        if one.__module__.startswith("tui."):
            found += [binding for binding in one.__dict__.get("BINDINGS", ()) if isinstance(binding, Binding)]
    return found


def require_keys(keys: Mapping[str, str], file: Path) -> None:
    """Raise UsageError for the first setting of [browse.keys] that would change nothing."""
    known = {binding.id for binding in bindings() if binding.id}
    for id_, chosen in keys.items():
        if id_ not in known:
            near = get_close_matches(id_, sorted(known), 1)
            hint = f"perhaps “{near[0]}” was meant" if near else "the help (?) tells all of them"
            raise _not_right(file, f"there is no “{id_}” among the keys; {hint}")
        for key in chosen.split(","):
            if not _is_key(key.strip()):
                near = get_close_matches(key.strip(), sorted(_NAMED), 1)
                hint = f"perhaps “{near[0]}” was meant" if near else "keys are written as ctrl+f, f5, space or x"
                raise _not_right(file, f"there is no key “{key.strip()}” for “{id_}”; {hint}")


def _is_key(key: str) -> bool:
    """Whether a key can be called so: x, /, slash, f5, ctrl+x, alt+left."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    is_character = len(last) == 1 and unicodedata.category(last)[0] != "C"
    return _MODIFIERS.issuperset(modifiers) and (is_character or key in _NAMED or last in _NAMED)


def _not_right(file: Path, why: str) -> UsageError:
    return UsageError(f"The settings {printable(str(file))} are not right: {printable(why)}.")
