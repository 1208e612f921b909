"""The columns that a condition may ask of, and the values that they are compared with."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache

from bioclip_search.errors import QueryError
from bioclip_search.schema import OTHER_TERMS, SPECIMEN_COLUMNS
from bioclip_search.terms import canonical_term, is_standard_term
from bioclip_search.text import printable

__all__ = ["Column", "Holds", "Value", "column_named", "find_column", "shown", "value_for"]

Value = str | Decimal
"""Text as it was written, or an exact number."""

_SHOWN = 40
_NEAR_ENOUGH = 70
_SHORTEST_TO_MATCH = 3
# Exponents are short, so that no number has more digits than were typed.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)


class Holds(Enum):
    """What the values of a column are; the value of a whole number is the largest one there can be."""

    TEXT = 0
    INT32 = 2**31 - 1
    INT64 = 2**63 - 1
    FLOAT64 = math.inf


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the catalogue that may be filtered by."""

    name: str
    holds: Holds = Holds.TEXT


_FILE_COLUMNS = ("path", "root", "view", "width", "height", "size")
_NUMBERS = {
    "year": Holds.INT32,
    "width": Holds.INT32,
    "height": Holds.INT32,
    "size": Holds.INT64,
    "decimalLatitude": Holds.FLOAT64,
    "decimalLongitude": Holds.FLOAT64,
}


@cache
def _columns() -> dict[str, Column]:
    names = [*(name for name in SPECIMEN_COLUMNS if name != OTHER_TERMS), *_FILE_COLUMNS]
    return {name.lower(): Column(name, _NUMBERS.get(name, Holds.TEXT)) for name in names}


def find_column(name: str) -> Column | None:
    """The column of this name, in any case, with or without prefix; None if there is none."""
    return _columns().get(canonical_term(name).lower())


def column_named(name: str) -> Column:
    """The column of this name. Raises QueryError with near names for one that cannot be filtered by."""
    if found := find_column(name):
        return found
    if is_standard_term(name) or canonical_term(name) == OTHER_TERMS:
        raise QueryError(
            f"{shown(canonical_term(name))} is kept with each specimen, but photos cannot be filtered by it; "
            f"choose among {', '.join(_near(name) or ['typeStatus', 'country', 'year'])}."
        )
    remedy = f"did you mean {' or '.join(near)}?" if (near := _near(name)) else "write one such as typeStatus or year."
    raise QueryError(f"There is no column “{shown(name)}” to filter photos by; {remedy}")


def _near(name: str) -> list[str]:
    from rapidfuzz import fuzz, process, utils

    if len(name) < _SHORTEST_TO_MATCH:
        return []
    names = [column.name for column in _columns().values()]
    found = process.extract(
        canonical_term(name),
        names,
        scorer=fuzz.WRatio,
        processor=utils.default_process,
        score_cutoff=_NEAR_ENOUGH,
        limit=3,
    )
    return [near for near, _, _ in found]


def value_for(column: Column, text: str) -> Value:
    """What a column is compared with. Raises QueryError for a word where a number is due, and for no text at all."""
    if not text:
        name = column.name
        raise QueryError(f"{name} is compared with an empty value; write {name} IS EMPTY or {name} IS NOT EMPTY.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise QueryError(f"The value “{shown(text)}” is no valid Unicode text; write it anew.")
    return text if column.holds is Holds.TEXT else _number(column, text)


def _number(column: Column, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise QueryError(f"{column.name} holds numbers, and “{shown(text)}” is none; write one such as 1900 or -12.5.")
    if math.isinf(float(text)):
        raise QueryError(f"The number “{shown(text)}” for {column.name} is too large; write a smaller one.")
    return Decimal(text)


def shown(text: str) -> str:
    """A word of the user's for a message: on one line, without control codes, not too long."""
    return printable(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
