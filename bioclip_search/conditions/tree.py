"""What a condition says, as a tree; every leaf is true or false of a photo, and false where the field is empty."""

from dataclasses import dataclass
from enum import StrEnum

from bioclip_search.conditions.columns import Column, Value

__all__ = ["All", "Compare", "Empty", "Like", "Node", "Not", "OneOf", "Sign", "Some", "columns_of"]


class Sign(StrEnum):
    """How a value is compared; “not equal” is Not of EQUAL."""

    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Compare:
    """column = value, and the like."""

    column: Column
    sign: Sign
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """column IN (values); at least one value."""

    column: Column
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """column LIKE pattern, as the user wrote the pattern."""

    column: Column
    pattern: str
    either_case: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """The one leaf that is true of an empty field."""

    column: Column


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """AND of two or more."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """OR of two or more."""

    parts: tuple["Node", ...]


Node = Compare | OneOf | Like | Empty | Not | All | Some


def columns_of(node: Node) -> frozenset[str]:
    """The names of all columns in a tree."""
    match node:
        case Not(part):
            return columns_of(part)
        case All(parts) | Some(parts):
            return frozenset[str]().union(*map(columns_of, parts))
        case leaf:
            return frozenset({leaf.column.name})
