"""From a table of TOML to a dataclass: every key a field, every fault told by its key."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from bioclip_search.errors import UsageError

__all__ = ["built", "fault"]


def fault(key: str, reason: str) -> UsageError:
    """The error of a key, to be raised: “The recipe's KEY REASON.”"""
    return UsageError(f"The recipe's {key} {reason}.")


def built(kind: Any, values: Mapping[str, Any], place: str) -> Any:
    """A dataclass `kind` from a table; `place` is what its keys begin with. Raises UsageError."""
    if not isinstance(values, Mapping):
        raise fault(place, "must be a table")
    hints = get_type_hints(kind)
    if unknown := sorted(values.keys() - hints.keys()):
        raise fault(place + unknown[0], f"is not known; known are {', '.join(hints)}")
    required = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]
    if missing := [name for name in required if name not in values]:
        raise fault(place + missing[0], "is missing")
    return kind(**{name: _value(hints[name], value, place + name) for name, value in values.items()})


def _value(hint: Any, value: Any, key: str) -> Any:
    """A value of the file as the field wants it: whole numbers may stand for others, lists become tuples."""
    if isinstance(hint, UnionType):
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise fault(key, "must be a list")
        return tuple(_value(get_args(hint)[0], one, key) for one in value)
    if get_origin(hint) is dict:
        hint = dict
    if hasattr(hint, "__dataclass_fields__"):
        return built(hint, value, f"{key}.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a table"}
        raise fault(key, f"must be {words[hint]}")
    return value
