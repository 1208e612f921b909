"""Probabilities of taxa summed up to any rank, and the narrowest rank that is certain enough.

A taxon counts towards every wider taxon of its lineage. What is known only to a genus is an answer
at genus, and at no narrower rank; a rank that a lineage leaves out is left out, never made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bioclip_search.identification.taxa import MISSING, Mask, TaxonTable
from bioclip_search.taxonomy import RANKS, Rank, Taxon

__all__ = ["Choice", "Probabilities", "RankTree"]

Probabilities = npt.NDArray[np.float64]

# Sums of float32 probabilities miss a whole 1 by this little.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Choice:
    """A taxon with its probability; `taxon` goes no further than its rank."""

    taxon: Taxon
    score: float

    @property
    def rank(self) -> Rank | None:
        return self.taxon.rank

    @property
    def name(self) -> str | None:
        """The name at the narrowest rank, else the common name."""
        return self.taxon.scientific_name or self.taxon.common_name


class RankTree:
    """Groups of taxa that share their lineage down to a rank: at each rank, every taxon is in one group.

    A group in which that rank is missing has no name there (`is_named`), and holds what is known only
    to wider ranks.
    """

    def __init__(self, taxa: TaxonTable) -> None:
        self.taxa = taxa
        # In the order of lineages every group is one run of neighbours, and a sum is that of a run.
        self._order = np.lexsort(taxa.ranks.T[::-1])
        lineages = taxa.ranks[self._order]
        differs = lineages[1:] != lineages[:-1]
        self._starts = [
            np.flatnonzero(np.concatenate([[True], differs[:, : rank + 1].any(axis=1)])) for rank in range(len(RANKS))
        ]
        self._named: list[Mask] = [lineages[starts, rank] != MISSING for rank, starts in enumerate(self._starts)]

    def is_named(self, rank: Rank) -> Mask:
        """Which groups at a rank have a name there: bool [groups]."""
        return self._named[RANKS.index(rank)]

    @cached_property
    def _groups(self) -> list[npt.NDArray[np.int64]]:
        groups = []
        for starts in self._starts:
            group = np.empty(len(self.taxa), dtype=np.int64)
            group[self._order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(self.taxa))))
            groups.append(group)
        return groups

    def groups(self, rank: Rank) -> npt.NDArray[np.int64]:
        """The group of every taxon at a rank: int64 [n]."""
        return self._groups[RANKS.index(rank)]

    def members(self, rank: Rank, group: int) -> npt.NDArray[np.int64]:
        """The rows of the taxa of a group."""
        starts = np.append(self._starts[RANKS.index(rank)], len(self.taxa))
        return self._order[starts[group] : starts[group + 1]]

    def sums(self, probabilities: npt.NDArray[np.floating]) -> list[Probabilities]:
        """[m, n] over taxa -> for each rank [m, groups]."""
        sums: list[Probabilities] = []
        last: npt.NDArray[np.floating] = probabilities[:, self._order]
        starts = np.arange(len(self.taxa))
        for own in reversed(self._starts):
            # Each rank is summed from the next narrower one.
            of_rank: Probabilities = np.add.reduceat(last, np.searchsorted(starts, own), axis=1, dtype=np.float64)
            sums.append(of_rank)
            last, starts = of_rank, own
        return sums[::-1]

    def choice(self, rank: Rank, group: int, score: float) -> Choice:
        """A group as a choice; a group of one taxon has its common name."""
        members = self.members(rank, group)
        taxon = self.taxa[int(members[0])]
        is_whole = taxon.rank is None or RANKS.index(taxon.rank) <= RANKS.index(rank)
        return Choice(taxon if is_whole and len(members) == 1 else _cut(self.taxa, members, rank), score)

    def best(self, sums: list[Probabilities], row: int) -> Iterator[Choice]:
        """The most probable name at each rank that has any, from the widest to the narrowest."""
        for rank, of_rank, named in zip(RANKS, sums, self._named, strict=True):
            group = int(np.argmax(np.where(named, of_rank[row], -1.0)))
            if named[group] and of_rank[row, group] > 0:
                yield self.choice(rank, group, float(of_rank[row, group]))

    def answer(
        self, sums: list[Probabilities], row: int, confidence: float, narrowest: Rank = Rank.SPECIES
    ) -> Choice | None:
        """The best name at the narrowest rank at which it has the confidence; None if there is no such rank."""
        found = None
        for best in self.best(sums, row):
            if best.rank and RANKS.index(best.rank) <= RANKS.index(narrowest) and best.score >= confidence - _ROUNDING:
                found = best
        return found

    def ranked(self, sums: list[Probabilities], row: int, rank: Rank, limit: int) -> list[Choice]:
        """The most probable groups at a rank, best first, those without a name there as what they are."""
        of_rank = sums[RANKS.index(rank)][row]
        limit = min(limit, len(of_rank))
        top = np.argpartition(-of_rank, limit - 1)[:limit]
        top = top[np.lexsort((top, -of_rank[top]))]
        return [self.choice(rank, int(group), float(of_rank[group])) for group in top if of_rank[group] > 0]


def _cut(taxa: TaxonTable, members: npt.NDArray[np.int64], rank: Rank) -> Taxon:
    """The taxon that several have in common; a common name that one of them has for exactly it."""
    cut = taxa[int(members[0])].cut_at(rank)
    for member in members[:50]:
        taxon = taxa[int(member)]
        if taxon.common_name and taxon.rank == cut.rank:
            return taxon
    return cut
