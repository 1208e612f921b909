"""A condition that was understood, and the ways to make one."""

from collections.abc import Iterable
from dataclasses import dataclass

from bioclip_search.conditions.columns import column_named, value_for
from bioclip_search.conditions.parse import parse
from bioclip_search.conditions.render import sql_of
from bioclip_search.conditions.tree import Compare, Node, OneOf, Sign, columns_of
from bioclip_search.errors import QueryError

__all__ = ["Condition", "any_of", "exactly", "parse_condition"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What photos must be like; make one with `parse_condition`, `exactly` or `any_of`."""

    tree: Node

    @property
    def sql(self) -> str:
        """SQL for LanceDB, in parentheses; true or false of every row and never NULL."""
        return f"({sql_of(self.tree)})"

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that it asks of."""
        return columns_of(self.tree)


def parse_condition(text: str) -> Condition:
    """Understand a condition. Raises QueryError that names the word which is wrong, and what to write instead."""
    return Condition(parse(text))


def exactly(column: str, value: str | float) -> Condition:
    """The column holds this value. Raises QueryError for an unknown column, or a word where a number is due."""
    found = column_named(column)
    return Condition(Compare(found, Sign.EQUAL, value_for(found, str(value))))


def any_of(column: str, values: Iterable[str | float]) -> Condition:
    """The column holds one of these values. Raises QueryError as `exactly`, and where there is no value."""
    found = column_named(column)
    wanted = tuple(value_for(found, str(value)) for value in values)
    if not wanted:
        raise QueryError(f"There is no value to compare {found.name} with; give at least one.")
    return Condition(OneOf(found, wanted))
