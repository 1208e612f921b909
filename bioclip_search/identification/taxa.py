"""Taxa in columns: hundreds of thousands of them as small integers, asked all at once."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from bioclip_search.taxonomy import RANKS, Rank, Taxon, TextType

__all__ = ["MISSING", "Codes", "Mask", "TaxonTable", "TaxonTableBuilder"]

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

MISSING = -1


class TaxonTable:
    """Taxa of seven ranks and a common name; a name is a number in `names`, a missing one is MISSING.

    `ranks` is int32 [n, 7], from the widest rank to the narrowest; `commons` is int32 [n].
    """

    def __init__(self, ranks: Codes, commons: Codes, names: Sequence[str]) -> None:
        self.ranks = ranks
        self.commons = commons
        self.names = names

    @classmethod
    def of(cls, taxa: Iterable[Taxon]) -> "TaxonTable":
        """A table of taxa, in their order."""
        builder = TaxonTableBuilder()
        for taxon in taxa:
            builder.add([taxon.name_at(rank) for rank in RANKS], taxon.common_name)
        return builder.table()

    def __len__(self) -> int:
        return len(self.ranks)

    def __getitem__(self, row: int) -> Taxon:
        return Taxon(*(self._name(code) for code in (*self.ranks[row], self.commons[row])))

    def _name(self, code: int) -> str | None:
        return None if code == MISSING else self.names[code]

    def texts(self) -> list[str]:
        """What each taxon is called before a model: its ranks and its common name."""
        return [self[row].text(TextType.TAXONOMIC_COMMON) or "" for row in range(len(self))]

    def take(self, rows: npt.NDArray[np.integer] | Mask) -> "TaxonTable":
        """The taxa of some rows."""
        return TaxonTable(self.ranks[rows], self.commons[rows], self.names)

    def completed(self) -> "TaxonTable":
        """The table with wider ranks filled in where another taxon of the same name has them.

        Records of one family often name its order in one place and not in another. A name that stands
        under two different names of a wider rank is a homonym, or an open question: it is left alone.
        """
        ranks = self.ranks.copy()
        for rank in range(1, len(RANKS)):
            named = ranks[:, rank] != MISSING
            wider, clear = _agreed(ranks[named, :rank], ranks[named, rank], len(self.names))
            rows = np.flatnonzero(named)[clear[ranks[named, rank]]]
            ranks[rows, :rank] = np.where(ranks[rows, :rank] == MISSING, wider[ranks[rows, rank]], ranks[rows, :rank])
        return TaxonTable(ranks, self.commons, self.names)

    def distinct(self) -> tuple["TaxonTable", npt.NDArray[np.int64]]:
        """The taxa that differ in any rank, in order of first occurrence, and the new row of each old one.

        A taxon has the common name of its first row that has one.
        """
        _, first, inverse = np.unique(self.ranks, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        row_of = place[inverse.reshape(-1)]
        commons = np.full(len(order), MISSING, dtype=np.int32)
        named = np.flatnonzero(self.commons != MISSING)[::-1]  # backwards, so that the first one stays
        commons[row_of[named]] = self.commons[named]
        return TaxonTable(self.ranks[first[order]], commons, self.names), row_of

    def named(self, names: Iterable[str]) -> Mask:
        """Which taxa bear one of the names, at any rank or as common name, in any case: bool [n]."""
        wanted = self._wanted(names)
        return self._bears(self.ranks, wanted).any(axis=1) | self._bears(self.commons, wanted)

    def within(self, taxon: Taxon) -> Mask:
        """Which taxa are, or belong to, a taxon; only its narrowest rank is compared: bool [n]."""
        rank = taxon.rank
        if rank is None:
            return self.named([taxon.common_name] if taxon.common_name else [])
        return self.at(rank, [taxon.name_at(rank) or ""])

    def at(self, rank: Rank, names: Iterable[str]) -> Mask:
        """Which taxa have one of the names, in any case, at a rank: bool [n]."""
        return self._bears(self.ranks[:, RANKS.index(rank)], self._wanted(names))

    def _wanted(self, names: Iterable[str]) -> Mask:
        folded = {name.casefold() for name in names}
        return np.fromiter((name.casefold() in folded for name in self.names), dtype=np.bool_, count=len(self.names))

    @staticmethod
    def _bears(codes: Codes, wanted: Mask) -> Mask:
        # MISSING is the last place of the lengthened array.
        found: Mask = np.append(wanted, np.False_)[codes]
        return found


class TaxonTableBuilder:
    """Makes a table row by row."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._ranks: list[int] = []
        self._commons: list[int] = []

    def add(self, ranks: Sequence[str | None], common: str | None) -> None:
        """A taxon: seven names, None or “” where one is missing."""
        self._ranks.extend(map(self._code, ranks))
        self._commons.append(self._code(common))

    def _code(self, name: str | None) -> int:
        return self._codes.setdefault(name, len(self._codes)) if name else MISSING

    def table(self) -> TaxonTable:
        ranks = np.asarray(self._ranks, dtype=np.int32).reshape(-1, len(RANKS))
        return TaxonTable(ranks, np.asarray(self._commons, dtype=np.int32), list(self._codes))


def _agreed(wider: Codes, names: Codes, count: int) -> tuple[Codes, Mask]:
    """For every name the one name at each wider rank, int32 [count, w], and whether there is never a second."""
    agreed = np.full((count, wider.shape[1]), MISSING, dtype=np.int32)
    clear = np.ones(count, dtype=np.bool_)
    for column in range(wider.shape[1]):
        known = wider[:, column] != MISSING
        least = np.full(count, np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(least, names[known], wider[known, column])
        np.maximum.at(agreed[:, column], names[known], wider[known, column])
        clear &= (agreed[:, column] == MISSING) | (agreed[:, column] == least)
    return agreed, clear
