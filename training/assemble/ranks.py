"""Ranks that a row leaves out, taken from the fullest row of the same taxon."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache

from training.assemble.names import Names

__all__ = ["RankFiller"]

_COLUMNS = ("kingdom", "phylum", "class", '"order"', "family", "genus")
_KNOWN_LINEAGES = 5_000
_Lineage = tuple[tuple[str, ...], int]


class RankFiller:
    """Fills the ranks above a name from a table `taxa` with a column a rank, `epithet` and `photos`.

    From the species up: of the rows with the same name that contradict nothing that is known, the one with most
    ranks is taken, then the one with most photos. A name that rows place in two kingdoms (a homonym) is
    left alone where the kingdom is not known.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._above = lru_cache(_KNOWN_LINEAGES)(self._lineages)

    def filled(self, names: Names) -> Names:
        """The names with what could be filled in."""
        known = list(names[:6])
        for depth in range(6, 0, -1):
            name = (known[5], names[6]) if depth == 6 else (known[depth],)
            if all(name) and not all(known[:depth]):
                # A species is asked for once, a family again and again.
                above = self._lineages(depth, name) if depth == 6 else self._above(depth, name)
                _fill(known, depth, above)
        kingdom, phylum, class_, order, family, genus = known
        return kingdom, phylum, class_, order, family, genus, names[6]

    def _lineages(self, depth: int, name: tuple[str, ...]) -> list[_Lineage]:
        """What stands above a name, with the number of photos that say so."""
        above = ", ".join(_COLUMNS[:depth])
        where = "genus = ? AND epithet = ?" if depth == 6 else f"{_COLUMNS[depth]} = ?"
        query = f"SELECT {above}, SUM(photos) FROM taxa WHERE {where} GROUP BY {above}"  # noqa: S608
        return [(tuple(row[:depth]), row[depth]) for row in self._database.execute(query, name)]


def _fill(known: list[str], depth: int, above: Sequence[_Lineage]) -> None:
    """Fill the first `depth` ranks of `known` from what rows say stands above the name at the rank behind them."""
    lineages = [lineage for lineage in above if _agree(lineage[0], known)]
    kingdoms = {lineage[0][0] for lineage in lineages} - {""}
    if not lineages or (not known[0] and len(kingdoms) > 1):
        return
    best, _ = max(lineages, key=lambda lineage: (sum(map(bool, lineage[0])), lineage[1], lineage[0]))
    known[:depth] = [mine or theirs for mine, theirs in zip(known[:depth], best, strict=True)]


def _agree(lineage: Sequence[str], known: Sequence[str]) -> bool:
    return all(not a or not b or a == b for a, b in zip(lineage, known, strict=False))
