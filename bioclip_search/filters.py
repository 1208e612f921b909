"""Which photos may be found: by taxon, by any other condition, and whether their files are there."""

from dataclasses import dataclass

from bioclip_search.schema import PRESENT
from bioclip_search.storage import quoted
from bioclip_search.taxonomy import TaxonPath, names_on

__all__ = ["Filter", "Names"]

Names = tuple[tuple[str, str], ...]
"""Columns, and the name that must stand there."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Photos that carry any of the names of every group of `taxa`, none of those of `not_taxa`, are on one of the
    paths of `within` if there are any, and meet all `conditions`, which are SQL; those whose files are missing only
    with `include_missing`."""

    taxa: tuple[Names, ...] = ()
    not_taxa: Names = ()
    conditions: tuple[str, ...] = ()
    include_missing: bool = False
    within: tuple[TaxonPath, ...] = ()

    @property
    def sql(self) -> str | None:
        """The same as one SQL condition; None where every photo may be found."""
        parts = [] if self.include_missing else [PRESENT]
        parts += [_any_of(names) for names in self.taxa]
        # What has no name there is not of the taxon: SQL alone would leave it out.
        parts += [f"(`{column}` IS NULL OR `{column}` <> {quoted(name)})" for column, name in self.not_taxa]
        if self.is_placed:
            parts.append("(" + " OR ".join(map(_on, self.within)) + ")")
        parts += [f"({condition})" for condition in self.conditions]
        return " AND ".join(parts) or None

    @property
    def is_placed(self) -> bool:
        """Whether `within` leaves anything out."""
        return bool(self.within) and () not in self.within


def _on(path: TaxonPath) -> str:
    names = ((rank.value, name) for rank, name in names_on(path))
    return "(" + " AND ".join(_is(column, name) for column, name in names) + ")"


def _is(column: str, name: str | None) -> str:
    return f"`{column}` IS NULL" if name is None else f"`{column}` = {quoted(name)}"


def _any_of(names: Names) -> str:
    return "(" + " OR ".join(f"`{column}` = {quoted(name)}" for column, name in names) + ")" if names else "false"
