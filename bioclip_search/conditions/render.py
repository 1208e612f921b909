"""Write the tree of a condition as SQL for LanceDB (the dialect of Apache DataFusion).

Columns come from the catalogue's own list and values are quoted anew. Each comparison asks first
whether the field is filled, so that it is true or false and can be negated; DataFusion drops the
question where it is needless. NOT is written at comparisons only (De Morgan): DataFusion was seen
to take for ever over NOT in NOT.
"""

import math
import re
from decimal import Decimal

from bioclip_search.conditions.columns import Column, Holds, Value
from bioclip_search.conditions.tree import All, Compare, Empty, Like, Node, Not, OneOf, Sign, Some
from bioclip_search.storage import quoted

__all__ = ["sql_of"]

_FALSE = "FALSE"
_OF_PATTERNS = re.compile(r"\\[%_\\]|\\|%+")


def sql_of(node: Node, *, negated: bool = False) -> str:
    """SQL that is true of the photos of which the tree is true, and false of all others."""
    match node:
        case Not(part):
            return sql_of(part, negated=not negated)
        case All(parts) | Some(parts):
            written = [sql_of(part, negated=negated) for part in parts]
            # Parentheses only where they are needed: LanceDB counts them.
            return " AND ".join(written) if isinstance(node, All) != negated else f"({' OR '.join(written)})"
        case leaf:
            return f"NOT {_leaf(leaf)}" if negated else _leaf(leaf)


def _leaf(leaf: Compare | OneOf | Like | Empty) -> str:
    match leaf:
        case Compare(column, sign, value):
            return _compared(column, sign, value)
        case OneOf(column, values):
            return _among(column, values)
        case Like(column, pattern, either_case):
            return _filled(column, f"{'ILIKE' if either_case else 'LIKE'} {quoted(_plain_pattern(pattern))}")
        case Empty(column):
            name = _name(column)
            return f"({name} IS NULL OR {name} = '')" if column.holds is Holds.TEXT else f"({name} IS NULL)"


def _compared(column: Column, sign: Sign, value: Value) -> str:
    if isinstance(value, Decimal) and column.holds is not Holds.FLOAT64:
        return _whole_compared(column, sign, value)
    return _filled(column, f"{sign} {_literal(value)}")


def _whole_compared(column: Column, sign: Sign, value: Decimal) -> str:
    """Compare whole numbers with any number: DataFusion refuses a literal that the column cannot hold."""
    most = int(column.holds.value)
    match sign:
        case Sign.EQUAL:
            return _among(column, (value,))
        case Sign.LESS | Sign.AT_MOST:
            highest = math.floor(value) if sign is Sign.AT_MOST else math.ceil(value) - 1
            return _FALSE if highest < -most else _filled(column, f"<= {highest}" if highest < most else None)
        case Sign.GREATER | Sign.AT_LEAST:
            lowest = math.ceil(value) if sign is Sign.AT_LEAST else math.floor(value) + 1
            return _FALSE if lowest > most else _filled(column, f">= {lowest}" if lowest > -most else None)


def _among(column: Column, values: tuple[Value, ...]) -> str:
    literals = [_literal(value) for value in values]
    if column.holds in (Holds.INT32, Holds.INT64):
        numbers = [Decimal(value) for value in values]
        literals = [str(int(number)) for number in numbers if _may_hold(column, number)]
    if not literals:
        return _FALSE
    return _filled(column, f"= {literals[0]}" if len(literals) == 1 else f"IN ({', '.join(literals)})")


def _may_hold(column: Column, number: Decimal) -> bool:
    return abs(number) <= int(column.holds.value) and number == math.floor(number)


def _filled(column: Column, test: str | None) -> str:
    """SQL: the field is not empty, and passes a test."""
    name = _name(column)
    return f"({name} IS NOT NULL AND {name} {test})" if test else f"({name} IS NOT NULL)"


def _name(column: Column) -> str:
    return f"`{column.name}`"


def _literal(value: Value) -> str:
    return quoted(value) if isinstance(value, str) else repr(float(value))


def _plain_pattern(pattern: str) -> str:
    """The pattern with every backslash before %, _ or a backslash: DataFusion drops others."""

    def plain(found: re.Match[str]) -> str:
        if found[0] == "\\":
            return "\\\\"
        return "%" if found[0].startswith("%") else found[0]

    return _OF_PATTERNS.sub(plain, pattern)
