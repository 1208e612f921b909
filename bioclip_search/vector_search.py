"""Nearest photos by a column of embeddings: through its index where there is one that knows most rows, else by
LanceDB's exact scan.

Every answer comes from the embeddings themselves: the index only says which of them need not be looked at.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.filters import Filter
from bioclip_search.nearest.build import build
from bioclip_search.nearest.files import IndexInUse, IndexState, drop_index, in_use
from bioclip_search.nearest.index import MARGIN, Index, RowIds
from bioclip_search.schema import EMBEDDING, EMBEDDING_FOR_TEXT, IS_FOR_TEXT, PHOTO_COLUMNS, TAXON_COLUMNS
from bioclip_search.storage import RowsMoved, take
from bioclip_search.taxonomy import names_on
from bioclip_search.vectors import Vectors, matrix, unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["INDEX_FROM", "IndexReport", "Neighbour", "VectorSearch", "drop_indices"]

INDEX_FROM = 5_000
"""From this number of photos an index is kept; below it LanceDB compares them all in a few milliseconds."""

_HOMES = {EMBEDDING: "nearest", EMBEDDING_FOR_TEXT: "nearest_for_text"}

_log = logging.getLogger(__name__)

# Above this many hits, or candidates for hits, it is the faster way to compare all.
_MOST_BY_CODES = 5_000
_MOST_LOOKED_AT = 20_000
# Rows that the index does not know are compared one by one, up to this share of all.
_FEW = 5_000
_SHARE_UNKNOWN = 0.25
# A new generation is written when this share has changed, and at least so many photos.
_SHARE_CHANGED = 0.02
_LEAST_CHANGED = 1_000
_SAMPLE = 20_000
# Without the other columns batches may be larger than whole rows allow.
_EMBEDDINGS_AT_ONCE = 2_048
_IDS_AT_ONCE = 65_536
_REMEMBERED = 8
# Times that a search is begun again when the table is compacted under it.
_TRIES = 3
# Cosines that differ by less are the same.
_TIED = 1e-6


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row without its thumbnail, its unit-length embedding float32 [dim], and its cosine to what was asked."""

    row: dict[str, Any]
    embedding: Vectors
    cosine: float


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How the nearest are found: `state` of the index, None where all are compared; `unknown` rows it lacks."""

    state: IndexState | None
    unknown: int


@dataclass(frozen=True)
class _View:
    """An index as it stands to a version of the table: `alive` places, and the row ids that it does not know."""

    version: int
    used: IndexInUse
    index: Index
    alive: npt.NDArray[np.bool_] | None
    unknown: RowIds


class VectorSearch:
    """Searches a column of embeddings in the table of a catalogue; `is_past` where it is read as it was.

    Photos that have nothing in the column are not found.
    """

    def __init__(self, folder: Path, table: Any, column: str = EMBEDDING, *, is_past: bool = False) -> None:
        self._home = folder / _HOMES[column]
        self._table = table
        self._column = column
        self._there = None if column == EMBEDDING else IS_FOR_TEXT
        self._is_past = is_past
        self._seen: _View | None = None
        self._selected: dict[tuple[int, str | None], RowIds] = {}
        self._lock = RLock()

    def nearest(self, vector: Vectors, limit: int, filter_: Filter, *, exact: bool = False) -> list[Neighbour]:
        """The photos nearest to a unit vector float32 [dim], best first; equally near ones in the table's order."""
        for _ in range(_TRIES):
            try:
                view = None if exact or limit > _MOST_BY_CODES else self._view()
                found = self._by_codes(view, vector, limit, filter_) if view else None
                return self._by_comparing_all(vector, limit, filter_) if found is None else found
            except RowsMoved:
                # Another process has just compacted the table.
                self._seen = None
        return self._by_comparing_all(vector, limit, filter_)

    def _by_codes(self, view: "_View", vector: Vectors, limit: int, filter_: Filter) -> list[Neighbour] | None:
        """The nearest, by the index first; None where that is no gain, so many are nearly the same."""
        known, unknown = self._allowed(view, filter_)
        candidates = _Candidates(vector, lambda row_ids: unit(self._embeddings(row_ids)))
        candidates.look_at(unknown)
        count = limit + MARGIN
        places, most = view.index.best(vector, count, known)
        candidates.look_at(view.index.row_ids[places])
        best = candidates.best(limit)
        # What was not looked at cannot be nearer than the last that was: is that too little for a hit?
        if len(places) == count and most[-1] >= candidates.cosine(best[-1]) - _TIED:
            places = view.index.reaching(vector, candidates.cosine(best[-1]) - _TIED, known)
            if len(places) > _MOST_LOOKED_AT:
                return None
            candidates.look_at(view.index.row_ids[places])
            best = candidates.best(limit)
        return candidates.neighbours(best, self._rows(view, best))

    def best_cosines(self, vectors: Vectors) -> Vectors:
        """For each of some unit vectors float32 [n, dim] the cosine of the nearest photo, float32 [n]; one pass."""
        best = np.full(len(vectors), -1.0, dtype=np.float32)
        query = self._where(self._table.search().select([self._column]), None).limit(None)
        for batch in query.to_batches(_EMBEDDINGS_AT_ONCE):
            if batch.num_rows:
                best = np.maximum(best, (vectors @ unit(matrix(batch[self._column])).T).max(axis=1))
        return best

    def names(self, *, include_missing: bool) -> dict[str, set[str]] | None:
        """By column the names that photos carry, where the index knows them all."""
        index = self.index()
        return index.names(include_missing=include_missing) if index else None

    def index(self) -> Index | None:
        """The index, if there is one that was made of the table as it is."""
        view = self._view()
        return view.index if view is not None and view.alive is None and not len(view.unknown) else None

    def let_go(self) -> None:
        """Give back the memory of what was read of the index's files."""
        view = self._seen
        if view is not None:
            view.index.let_go()

    def report(self) -> IndexReport:
        """The state of the index."""
        view = self._view()
        return IndexReport(view.used.state, len(view.unknown)) if view else IndexReport(None, self._count())

    def refresh(self, *, anew: bool = False, described: int = 0) -> None:
        """Write an index, or a new one, where the policy asks for it, or drop it; for one writer at a time.

        `described` is the number of rows that got other records since.
        """
        rows = self._count()
        if rows < INDEX_FROM:
            drop_index(self._home)
            return
        view = None if anew else self._view()
        if view is not None and self._changed(view) + described <= max(_LEAST_CHANGED, _SHARE_CHANGED * rows):
            return
        sample = unit(self._embeddings(self._some_row_ids(rows)))
        keep = view is not None and rows <= 2 * view.used.state.fitted
        codec = (view.index.codec, view.used.state.fitted) if view is not None and keep else None
        self._seen = None
        for fitting in [codec, None] if codec else [None]:
            version = int(self._table.version)
            if build(self._home, version, rows, self._all_rows(), sample, TAXON_COLUMNS, fitting):
                return
        drop_index(self._home)

    # The index as it stands to the table

    def _view(self) -> "_View | None":
        """The index, and what it does not know; None without one that helps."""
        with self._lock:
            used = in_use(self._home)
            version = int(self._table.version)
            # Row ids of the past may have been given again.
            if used is None or (self._is_past and used.state.version != version):
                return None
            if self._seen is None or (self._seen.version, self._seen.used) != (version, used):
                self._seen = self._compared(used, version)
            view = self._seen
            if view is None or len(view.unknown) > max(_FEW, _SHARE_UNKNOWN * used.state.rows):
                return None
            return view

    def _compared(self, used: IndexInUse, version: int) -> "_View | None":
        is_open = self._seen is not None and self._seen.used == used
        index = self._seen.index if self._seen and is_open else _opened(used)
        if index is None or used.state.version == version:
            return _View(version, used, index, None, np.empty(0, dtype=np.uint64)) if index else None
        live = self._row_ids(None)
        places, there = index.places_of(live)
        alive = np.zeros(used.state.rows, dtype=bool)
        alive[places] = True
        return _View(version, used, index, alive, live[~there])

    def _changed(self, view: _View) -> int:
        gone = 0 if view.alive is None else int((~view.alive).sum())
        return gone + len(view.unknown)

    def _allowed(self, view: _View, filter_: Filter) -> tuple[npt.NDArray[np.int64] | None, RowIds]:
        """The places in the index that a filter leaves, None for all, and the row ids beyond it."""
        if filter_.conditions or view.alive is not None or len(view.unknown):
            row_ids = self._row_ids(filter_.sql)
            places, there = view.index.places_of(row_ids)
            # To name every place costs seconds where there are a million.
            return None if len(places) == view.used.state.rows else places, row_ids[~there]
        index = view.index
        masks = [index.of_taxa(names) for names in filter_.taxa]
        if filter_.is_placed:
            masks.append(np.logical_or.reduce([index.with_names(names_on(path)) for path in filter_.within]))
        if filter_.not_taxa:
            masks.append(~index.of_taxa(filter_.not_taxa))
        if not filter_.include_missing and index.is_missing.any():
            masks.append(~index.is_missing)
        return np.flatnonzero(np.logical_and.reduce(masks)) if masks else None, view.unknown

    def _rows(self, view: "_View", row_ids: RowIds) -> list[dict[str, Any]]:
        """The rows of hits; from the index only while it is that of this very version."""
        if view.alive is None:
            return view.index.rows(view.index.in_order(row_ids))
        # A record may be written anew without its row getting another id.
        rows: list[dict[str, Any]] = take(self._table, row_ids, list(PHOTO_COLUMNS)).to_pylist()
        return rows

    # The table

    def _count(self) -> int:
        """The number of photos that have an embedding in the column."""
        return int(self._table.count_rows(self._there))

    def _where(self, query: Any, condition: str | None) -> Any:
        """A query of LanceDB for those photos only, of which a SQL condition is true."""
        both = _both(condition, self._there)
        return query if both is None else query.where(both, prefilter=True)

    def _by_comparing_all(self, vector: Vectors, limit: int, filter_: Filter) -> list[Neighbour]:
        candidates = _Candidates(vector, lambda row_ids: unit(self._embeddings(row_ids)))
        query = self._table.search().select([self._column]).with_row_id(True)
        cosines, row_ids = [np.empty(0, dtype=np.float32)], [np.empty(0, dtype=np.uint64)]
        for batch in self._where(query, filter_.sql).limit(None).to_batches(_EMBEDDINGS_AT_ONCE):
            cosines.append(unit(matrix(batch[self._column])) @ vector)
            row_ids.append(batch["_rowid"].to_numpy())
        best = _best(np.concatenate(cosines), np.concatenate(row_ids), limit)
        candidates.look_at(best)
        rows: list[dict[str, Any]] = take(self._table, best, list(PHOTO_COLUMNS)).to_pylist()
        return candidates.neighbours(best, rows)

    def _row_ids(self, where: str | None) -> RowIds:
        """The ids of the rows that a condition selects; those of the last conditions are remembered."""
        with self._lock:
            key = (int(self._table.version), where)
            if key not in self._selected:
                query = self._where(self._table.search().select(["_rowid"]).with_row_id(True), where)
                # Row ids alone are small: batches of the size that whole rows need would cost ten times as much.
                batches = query.limit(None).to_batches(_IDS_AT_ONCE)
                parts = [batch["_rowid"].to_numpy(zero_copy_only=False) for batch in batches]
                while len(self._selected) >= _REMEMBERED:
                    del self._selected[next(iter(self._selected))]
                self._selected[key] = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
            return self._selected[key]

    def _some_row_ids(self, rows: int) -> RowIds:
        row_ids = self._row_ids(None)
        chosen = np.random.default_rng(0).permutation(rows)[:_SAMPLE]
        some: RowIds = row_ids[chosen]
        return some

    def _embeddings(self, row_ids: RowIds) -> Vectors:
        return matrix(take(self._table, row_ids, [self._column])[self._column].combine_chunks())

    def _all_rows(self) -> "Iterator[pa.RecordBatch]":
        query = self._table.search().select([*PHOTO_COLUMNS, self._column]).with_row_id(True)
        for batch in self._where(query, None).limit(None).to_batches():
            names = ["embedding" if name == self._column else name for name in batch.schema.names]
            yield batch.rename_columns(names)


class _Candidates:
    """Photos whose embeddings were looked at, with their cosines to what is asked."""

    def __init__(self, vector: Vectors, embeddings: Callable[[RowIds], Vectors]) -> None:
        self._vector = vector
        self._embeddings = embeddings
        self._seen: dict[int, tuple[Vectors, float]] = {}

    def look_at(self, row_ids: RowIds) -> None:
        new = [row_id for row_id in row_ids.tolist() if row_id not in self._seen]
        if new:
            embeddings = self._embeddings(np.array(new, dtype=np.uint64))
            cosines = (embeddings @ self._vector).tolist()
            self._seen.update(zip(new, zip(embeddings, cosines, strict=True), strict=True))

    def best(self, limit: int) -> RowIds:
        row_ids = np.array(list(self._seen), dtype=np.uint64)
        return _best(np.array([cosine for _, cosine in self._seen.values()]), row_ids, limit)

    def cosine(self, row_id: int) -> float:
        return self._seen[int(row_id)][1]

    def neighbours(self, row_ids: RowIds, rows: list[dict[str, Any]]) -> list[Neighbour]:
        return [Neighbour(row, *self._seen[row_id]) for row, row_id in zip(rows, row_ids.tolist(), strict=True)]


def _best(cosines: npt.NDArray[np.floating[Any]], row_ids: RowIds, limit: int) -> RowIds:
    """The ids of the largest cosines, largest first; equal ones, but for rounding, by id."""
    if len(cosines) > 4 * limit:
        enough = np.partition(cosines, len(cosines) - limit)[len(cosines) - limit]
        chosen = np.flatnonzero(cosines >= enough - _TIED)
        cosines, row_ids = cosines[chosen], row_ids[chosen]
    order = np.lexsort((row_ids, -np.round(cosines.astype(np.float64), 6)))[:limit]
    best: RowIds = row_ids[order]
    return best


def _opened(used: IndexInUse) -> Index | None:
    try:
        return Index(used.folder, used.state, TAXON_COLUMNS)
    except (OSError, EOFError, ValueError, KeyError):
        _log.debug("the index %s cannot be read", used.folder, exc_info=True)
        return None


def drop_indices(folder: Path, *columns: str) -> None:
    """Remove what there is of indices beside a catalogue's table: those of the columns, or without any all."""
    for column in columns or _HOMES:
        drop_index(folder / _HOMES[column])


def _both(first: str | None, second: str | None) -> str | None:
    """SQL: both conditions, where there are two."""
    return f"({first}) AND {second}" if first and second else first or second
