"""The tree of a catalogue's taxa, of which a part is counted only when it is asked for.

Distinct taxa stand in one table in the order of their ranks, so that a taxon with all that belongs to it is one run
of rows: a million photos are as quick to count as the taxa that they have.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.memory import release_arrow
from bioclip_search.near import near_names
from bioclip_search.nearest.names import NO_NAME, Names
from bioclip_search.taxonomy import RANKS, Rank, TaxonPath, names_on

__all__ = ["UNPLACED", "Branch", "BranchCounts", "Branches"]

Codes = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

UNPLACED: TaxonPath = ((RANKS[0], ""),)
"""The path of photos that have no name at any rank."""

_RANKS = len(RANKS)
_LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Branch:
    """A taxon with the number of photos in it and below it; what has no name at any rank is without rank and name."""

    path: TaxonPath
    rank: Rank | None
    name: str | None
    common_name: str | None
    count: int
    has_children: bool


class Branches:
    """The tree of taxa.

    `codes` is int32 [m, 8], the distinct taxa in ascending order: for every rank and vernacularName the number of a
    name, or NO_NAME; `names` are those names, `counts` the photos of each taxon, int64 [m].
    """

    def __init__(self, codes: Codes, names: Sequence[Names], counts: Counts) -> None:
        self._codes = np.asfortranarray(codes)
        self._names = names
        self._counts = counts

    @classmethod
    def of(cls, names: Sequence[Names], column: Callable[[int], Codes]) -> tuple["Branches", Codes]:
        """The tree of photos whose names are numbers in eight columns, int32 [n], and the row of each photo's taxon,
        int32 [n]; `column` gives a column by its number, twice, so that they need not be held together."""
        rows, first = _ranked(column, [len(some) for some in names])
        codes = np.stack([column(at)[first] for at in range(len(names))], axis=1)
        return cls(codes, names, np.bincount(rows, minlength=len(first))), rows

    def __len__(self) -> int:
        """The number of distinct taxa."""
        return len(self._counts)

    def counted(self, counts: Counts) -> "Branches":
        """The same tree with other numbers of photos, int64 [m]."""
        return Branches(self._codes, self._names, counts)

    @property
    def counts(self) -> Counts:
        """The number of photos of each distinct taxon, int64 [m]."""
        return self._counts

    @property
    def lineages(self) -> tuple[Codes, Sequence[Names]]:
        """The distinct taxa: `codes` and `names` as they were given."""
        return self._codes, self._names

    # Which taxa

    def span(self, path: TaxonPath) -> slice:
        """The rows of a taxon and of all that belongs to it."""
        start, stop = 0, len(self)
        for rank, name in names_on(path):
            at = RANKS.index(rank)
            code = NO_NAME if name is None else self._names[at].number(name)
            if code is None:
                return slice(0, 0)
            column = self._codes[start:stop, at]
            low, high = np.searchsorted(column, code, "left"), np.searchsorted(column, code, "right")
            start, stop = start + int(low), start + int(high)
        return slice(start, stop)

    def exactly(self, path: TaxonPath) -> Counts:
        """The rows of a taxon itself, whatever its common name, without those of what belongs to it."""
        span = self.span(path)
        depth = RANKS.index(path[-1][0]) + 1 if path else 0
        rows: Counts = span.start + np.flatnonzero((self._codes[span, depth:_RANKS] == NO_NAME).all(axis=1))
        return rows

    def bearing(self, names: Sequence[tuple[str, str]]) -> Mask:
        """Which taxa have one of the names in its column, bool [m]; columns are ranks and vernacularName."""
        found = np.zeros(len(self), dtype=np.bool_)
        for column, name in names:
            at = _RANKS if column == "vernacularName" else RANKS.index(Rank(column))
            code = self._names[at].number(name)
            if code is not None:
                found |= self._codes[:, at] == code
        return found

    # What is shown

    def count(self, path: TaxonPath) -> int:
        """The number of photos of a taxon and of all that belongs to it."""
        return int(self._counts[self.span(path)].sum())

    def children(self, path: TaxonPath) -> list[Branch]:
        """The taxa next below a path, those with the most photos first; of the root those too that have no name."""
        if path and not path[-1][1]:
            return []
        span = self.span(path)
        rows = span.start + np.flatnonzero(self._counts[span])
        depth = RANKS.index(path[-1][0]) + 1 if path else 0
        known = self._codes[rows, depth:_RANKS] != NO_NAME
        placed = known.any(axis=1)
        found = [] if path or placed.all() else [self._unplaced(rows[~placed])]
        if placed.any():
            rows, known = rows[placed], known[placed]
            found += self._branches(rows, depth + known.argmax(axis=1), lambda _: path)
        return sorted(found, key=lambda branch: (branch.rank is None, -branch.count, branch.name or ""))

    def branch(self, path: TaxonPath) -> Branch | None:
        """One taxon; None where no photo belongs to it."""
        span = self.span(path)
        rows = span.start + np.flatnonzero(self._counts[span])
        if not len(rows):
            return None
        if not path:
            return Branch((), None, None, None, int(self._counts[rows].sum()), has_children=True)
        if not path[-1][1]:
            return self._unplaced(rows, path)
        at = np.full(len(rows), RANKS.index(path[-1][0]))
        return self._branches(rows, at, lambda _: path[:-1])[0]

    def find(self, words: str, limit: int = 200) -> list[Branch]:
        """Taxa whose scientific or common name has the words in it: equal names first, then those that begin so;
        of these the ones with the most photos first."""
        sought = " ".join(words.casefold().split())
        if not sought:
            return []
        found: dict[TaxonPath, tuple[int, Branch]] = {}
        for at in range(_RANKS + 1):
            worth = np.array([_worth(name.casefold(), sought) for name in self._names[at]] or [0], dtype=np.int8)
            codes = self._codes[:, at]
            matched = np.flatnonzero((codes != NO_NAME) & (worth[codes] > 0) & (self._counts > 0))
            if at == _RANKS:
                matched = matched[(self._codes[matched, :_RANKS] != NO_NAME).any(axis=1)]
            for branch, value in self._best(matched, worth[codes[matched]], at, limit):
                known = found.get(branch.path)
                if known is None or known[0] < value:
                    found[branch.path] = (value, branch)
        best = sorted(found.values(), key=lambda one: (-one[0], -one[1].count, one[1].name or ""))
        return [branch for _, branch in best[:limit]]

    def like(self, words: str, limit: int) -> list[Branch]:
        """Taxa with a name that is spelt nearly as the words are, the likest first."""
        names = (name for some in self._names for name in some)
        found: dict[TaxonPath, Branch] = {}
        for near in near_names(words, names, limit):
            named = (branch for branch in self.find(near, limit) if near in (branch.name, branch.common_name))
            found.update({branch.path: branch for branch in named if branch.path not in found})
        return list(found.values())[:limit]

    def _best(self, rows: Counts, worth: npt.NDArray[np.int8], at: int, limit: int) -> Iterator[tuple[Branch, int]]:
        """The branches at one rank, or of common names, of which the rows are, as many as may be shown."""
        if at == _RANKS:
            order = np.lexsort((-self._counts[rows], -worth))[:limit]
            for row, value in zip(rows[order].tolist(), worth[order].tolist(), strict=True):
                if branch := self.branch(self._path(row)):
                    yield branch, value
            return
        starts = _starts(self._codes[rows, : at + 1])
        if not len(starts):
            return
        counts = np.add.reduceat(self._counts[rows], starts)
        order = np.lexsort((-counts, -worth[starts]))[:limit]
        for start in starts[order].tolist():
            if branch := self.branch(self._path(int(rows[start]), at)):
                yield branch, int(worth[start])

    def _path(self, row: int, at: int = _RANKS - 1) -> TaxonPath:
        """The path of a taxon down to a rank."""
        codes = self._codes[row, : at + 1].tolist()
        return tuple(
            (rank, self._names[place][code])
            for place, (rank, code) in enumerate(zip(RANKS, codes, strict=False))
            if code != NO_NAME
        )

    def _branches(self, rows: Counts, at: Counts, wider: Callable[[int], TaxonPath]) -> list[Branch]:
        """A branch for every run of rows that have the same name at the rank that `at` gives for each."""
        codes = self._codes[rows, at]
        starts = _starts(np.stack([at, codes], axis=1))
        counts = np.add.reduceat(self._counts[rows], starts)
        narrower = np.arange(_RANKS)[None, :] > at[:, None]
        is_end = ~((self._codes[rows, :_RANKS] != NO_NAME) & narrower).any(axis=1)
        has_children = np.logical_or.reduceat(~is_end, starts)
        commons = self._commons(rows, starts, is_end)
        found = []
        for run, start in enumerate(starts.tolist()):
            rank = RANKS[int(at[start])]
            name = self._names[int(at[start])][int(codes[start])]
            path = (*wider(start), (rank, name))
            found.append(Branch(path, rank, name, commons.get(run), int(counts[run]), bool(has_children[run])))
        return found

    def _commons(self, rows: Counts, starts: Counts, is_end: Mask) -> dict[int, str]:
        """The most frequent common name of the very taxon of each run that has one."""
        common = self._codes[rows, _RANKS]
        named = np.flatnonzero(is_end & (common != NO_NAME))
        named = named[np.argsort(self._counts[rows[named]], kind="stable")]  # the most frequent is set last
        runs = np.searchsorted(starts, named, "right") - 1
        return {run: self._names[_RANKS][code] for run, code in zip(runs.tolist(), common[named].tolist(), strict=True)}

    def _unplaced(self, rows: Counts, path: TaxonPath = UNPLACED) -> Branch:
        return Branch(path, None, None, None, int(self._counts[rows].sum()), has_children=False)


class BranchCounts(Mapping[TaxonPath, int]):
    """Numbers of photos by path, each counted when it is asked for; a path without any has 0."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches

    def __getitem__(self, path: TaxonPath) -> int:
        return self._branches.count(path)

    def __iter__(self) -> Iterator[TaxonPath]:
        waiting: list[TaxonPath] = [()]
        while waiting:
            path = waiting.pop()
            yield path
            waiting += [branch.path for branch in self._branches.children(path)]

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _worth(name: str, sought: str) -> int:
    """How well a name answers: 3 equal, 2 begins so, 1 has it in it, 0 not at all."""
    if sought not in name:
        return 0
    return 3 if name == sought else 2 if name.startswith(sought) else 1


def _starts(rows: npt.NDArray[np.integer]) -> Counts:
    """Where rows [n, k] begin to differ from the one before."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    differs = (rows[1:] != rows[:-1]).any(axis=1)
    return np.flatnonzero(np.concatenate([[True], differs]))


def _ranked(column: Callable[[int], Codes], sizes: Sequence[int]) -> tuple[Codes, Counts]:
    """The rank of every row of columns int32 [n] among the distinct ones, int32 [n], and one row with each rank."""
    total = column(0).astype(np.int64)
    total += 1
    span = sizes[0] + 1
    for at, size in enumerate(sizes[1:], start=1):
        if span * (size + 1) > _LARGEST:
            ranks, first = _dense(total)
            total, span = ranks.astype(np.int64), len(first)
        total *= size + 1
        total += column(at)
        total += 1
        span *= size + 1
    return _dense(total)


def _dense(numbers: Counts) -> tuple[Codes, Counts]:
    """Numbers int64 [n] as their ranks among the distinct ones, int32 [n], and a row with each rank."""
    import pyarrow as pa

    # Hashing finds what is equal in a tenth of the time that sorting takes.
    encoded = pa.array(numbers).dictionary_encode()
    distinct = encoded.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(distinct)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order))
    ranks: Codes = rank[encoded.indices.to_numpy(zero_copy_only=False)]
    del encoded, distinct
    release_arrow()
    first = np.empty(len(order), dtype=np.int64)
    first[ranks[::-1]] = np.arange(len(ranks) - 1, -1, -1)
    return ranks, first
