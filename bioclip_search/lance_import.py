"""Import LanceDB, for the command line without what is never used of its company.

The client of its cloud service, made of several hundred generated classes, takes nearly half of the second that
the import costs. pandas, where it is installed, takes as long and 45 MiB: pyarrow imports it to ask whether a value is
one of its own, and does so again when something is really turned into a DataFrame. Programs that import
`bioclip_search` get LanceDB whole.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["lancedb", "leave_out_unused"]

_CLIENT = "lance_namespace_urllib3_client"
# Native code is initialised once in a process.
_NATIVE = "._lancedb"
_FAMILY = ("lancedb", "lance_namespace", _CLIENT)

_is_left_out = False


def leave_out_unused() -> None:
    """Let `lancedb` be imported without its company in this process; that happens when it is first asked for."""
    global _is_left_out
    _is_left_out = True


def lancedb() -> Any:
    """The module `lancedb`."""
    if not _is_left_out or "lancedb" in sys.modules:
        return importlib.import_module("lancedb")
    with _hidden("pandas"):
        _ask_for_pandas()
    sys.modules.update(_stand_ins())
    try:
        return importlib.import_module("lancedb")
    except (ImportError, AttributeError, TypeError):
        # Another version may need what stands in: then the whole of it.
        for name in [name for name in sys.modules if name.split(".")[0] in _FAMILY and not name.endswith(_NATIVE)]:
            del sys.modules[name]
        return importlib.import_module("lancedb")


def _ask_for_pandas() -> None:
    """Make pyarrow look for pandas, which it does but once."""
    import pyarrow as pa

    pa.scalar(0)


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Meanwhile a package cannot be imported for the first time."""
    finder = _Refusal(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Refusal:
    """An import finder by which one package is not installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _StandIn(ModuleType):
    """A module that has every class; one that is called after all gives the real thing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__new__": lambda _, *given, **named: _real_model(name)(*given, **named)})


def _stand_ins() -> dict[str, ModuleType]:
    """The modules of the client, by their names."""
    spec = importlib.util.find_spec(_CLIENT)
    folders = (spec.submodule_search_locations if spec else None) or ()
    files = (file.relative_to(folder) for folder in folders for file in Path(folder).rglob("*.py"))
    names = (".".join([_CLIENT, *file.with_suffix("").parts]).removesuffix(".__init__") for file in files)
    modules: dict[str, ModuleType] = {name: _StandIn(name) for name in names}
    for module in modules.values():
        module.__path__ = list(folders) if module.__name__ == _CLIENT else []
    return modules


def _real_model(name: str) -> Any:
    """A class of the client's models, which answers of LanceDB are made of."""
    models = f"{_CLIENT}.models"
    if isinstance(sys.modules.get(models), _StandIn):
        for standing_in in [module for module in sys.modules if module.startswith(models)]:
            del sys.modules[standing_in]
    return getattr(importlib.import_module(models), name)
