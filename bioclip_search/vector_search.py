"""Nearest photos by a column of embeddings: through its index where there is one that knows most rows, else by
LanceDB's exact scan.

Every answer is exact to what 8 bits leave in doubt, and in its last step by the embeddings themselves.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.filters import Filter
from bioclip_search.nearest.build import build
from bioclip_search.nearest.files import IndexState, drop_index, folder_in_use, state_in_use
from bioclip_search.nearest.index import MARGIN, Index, RowIds
from bioclip_search.schema import EMBEDDING, EMBEDDING_FOR_TEXT, IS_FOR_TEXT, PHOTO_COLUMNS, TAXON_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["INDEX_FROM", "IndexReport", "Neighbour", "VectorSearch", "drop_indices"]

Vectors = npt.NDArray[np.float32]

INDEX_FROM = 5_000
"""From this number of photos an index is kept; below it LanceDB compares them all in a few milliseconds."""

_HOMES = {EMBEDDING: "nearest", EMBEDDING_FOR_TEXT: "nearest_for_text"}

_log = logging.getLogger(__name__)

# Above this many hits the embeddings themselves are the faster way.
_MOST_BY_CODES = 2_000
# Rows that the index does not know are compared one by one, up to this share of all.
_FEW = 5_000
_SHARE_UNKNOWN = 0.25
# A new generation is written when this share has changed, and at least so many photos.
_SHARE_CHANGED = 0.02
_LEAST_CHANGED = 1_000
_SAMPLE = 20_000
_TAKEN_AT_ONCE = 2_000


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

    def nearest(self, vector: Vectors, limit: int, filter_: Filter, *, exact: bool = False) -> list[Neighbour]:
        """The photos nearest to a unit vector float32 [dim], best first."""
        view = None if exact or limit > _MOST_BY_CODES else self._view()
        if view is None:
            return self._by_comparing_all(vector, limit, filter_)
        known, unknown = self._allowed(view, filter_)
        count = limit + MARGIN
        while True:
            places, scores, doubt = view.index.best(vector, count, known)
            row_ids = np.concatenate([view.index.row_ids[places], unknown])
            embeddings = _unit(self._embeddings(row_ids))
            cosines = embeddings @ vector
            best = np.argsort(-cosines, kind="stable")[:limit]
            # What was not looked at is, by its code, no better than the last: sure enough that it is no hit?
            if len(places) < count or scores[-1] + doubt <= cosines[best[-1]]:
                break
            count *= 2
        rows = self._rows(view, places, row_ids, best)
        return [Neighbour(row, embeddings[at], float(cosines[at])) for row, at in zip(rows, best.tolist(), strict=True)]

    def best_cosines(self, vectors: Vectors) -> Vectors:
        """For each of some unit vectors float32 [n, dim] the cosine of the nearest photo, float32 [n]; one pass."""
        best = np.full(len(vectors), -1.0, dtype=np.float32)
        for batch in self._where(self._table.search().select([self._column]), None).limit(None).to_batches():
            if batch.num_rows:
                best = np.maximum(best, (vectors @ _unit(_matrix(batch[self._column])).T).max(axis=1))
        return best

    def names(self, *, include_missing: bool) -> dict[str, set[str]] | None:
        """By column the names that photos carry, where the index knows them all."""
        view = self._view()
        if view is None or view.alive is not None or len(view.unknown):
            return None
        return view.index.names(include_missing=include_missing)

    def report(self) -> IndexReport:
        """The state of the index."""
        view = self._view()
        return IndexReport(view.index.state, len(view.unknown)) if view else IndexReport(None, self._count())

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
        sample = _unit(self._embeddings(self._some_row_ids(rows)))
        keep = view is not None and rows <= 2 * view.index.state.fitted
        codec = (view.index.codec, view.index.state.fitted) if view is not None and keep else None
        build(self._home, self._table.version, rows, self._all_rows(), sample, TAXON_COLUMNS, codec)
        self._seen = None

    # The index as it stands to the table

    def _view(self) -> _View | None:
        """The index, and what it does not know; None without one that helps."""
        state = state_in_use(self._home)
        if state is None:
            return None
        version = int(self._table.version)
        if self._is_past and state.version != version:
            return None  # row ids of the past may have been given again
        folder = folder_in_use(self._home)
        if self._seen is None or (self._seen.version, self._seen.index.state) != (version, state):
            index = _opened(folder, state) if folder else None
            self._seen = self._compared(index, version) if index else None
        view = self._seen
        if view is None or len(view.unknown) > max(_FEW, _SHARE_UNKNOWN * state.rows):
            return None
        return view

    def _compared(self, index: Index, version: int) -> _View:
        if index.state.version == version:
            return _View(version, index, None, np.empty(0, dtype=np.uint64))
        live = self._row_ids(None)
        places, there = index.places_of(live)
        alive = np.zeros(index.state.rows, dtype=bool)
        alive[places] = True
        return _View(version, index, alive, live[~there])

    def _changed(self, view: _View) -> int:
        gone = 0 if view.alive is None else int((~view.alive).sum())
        return gone + len(view.unknown)

    def _allowed(self, view: _View, filter_: Filter) -> tuple[npt.NDArray[np.int64] | None, RowIds]:
        """The places in the index that a filter leaves, None for all, and the row ids beyond it."""
        if filter_.conditions or view.alive is not None or len(view.unknown):
            row_ids = self._row_ids(filter_.sql)
            places, there = view.index.places_of(row_ids)
            return places, row_ids[~there]
        index = view.index
        masks = [index.of_taxa(names) for names in filter_.taxa]
        if filter_.not_taxa:
            masks.append(~index.of_taxa(filter_.not_taxa))
        if not filter_.include_missing and index.is_missing.any():
            masks.append(~index.is_missing)
        return np.flatnonzero(np.logical_and.reduce(masks)) if masks else None, view.unknown

    def _rows(
        self, view: _View, places: npt.NDArray[np.int64], row_ids: RowIds, chosen: npt.NDArray[np.int64]
    ) -> list[dict[str, Any]]:
        """The rows of chosen candidates; from the index only while it is that of this very version."""
        if view.alive is None:
            return view.index.rows(places[chosen])
        # A record may be written anew without its row getting another id.
        rows: list[dict[str, Any]] = self._take(row_ids[chosen], list(PHOTO_COLUMNS)).to_pylist()
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
        query = self._table.search(vector, vector_column_name=self._column).distance_type("cosine")
        query = self._where(query.bypass_vector_index(), filter_.sql)
        table = query.select([*PHOTO_COLUMNS, self._column, "_distance"]).limit(limit + MARGIN).to_arrow()
        embeddings = _unit(_matrix(table[self._column].combine_chunks()))
        rows = table.drop_columns([self._column, "_distance"]).to_pylist()
        # LanceDB computes with float16; near ties come out in another order.
        cosines = embeddings @ vector
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [Neighbour(rows[at], embeddings[at], float(cosines[at])) for at in best.tolist()]

    def _row_ids(self, where: str | None) -> RowIds:
        return _row_ids(_Selected(self._table, int(self._table.version), _both(where, self._there)))

    def _some_row_ids(self, rows: int) -> RowIds:
        row_ids = self._row_ids(None)
        chosen = np.random.default_rng(0).permutation(rows)[:_SAMPLE]
        some: RowIds = row_ids[chosen]
        return some

    def _embeddings(self, row_ids: RowIds) -> Vectors:
        return _matrix(self._take(row_ids, [self._column])[self._column].combine_chunks())

    def _take(self, row_ids: RowIds, columns: list[str]) -> "pa.Table":
        """The rows in the order of their ids."""
        import pyarrow as pa

        parts = []
        for start in range(0, max(1, len(row_ids)), _TAKEN_AT_ONCE):
            part = row_ids[start : start + _TAKEN_AT_ONCE]
            order = np.argsort(part)
            taken = self._table.take_row_ids(part[order].tolist()).select(columns).to_arrow()
            parts.append(taken.take(pa.array(np.argsort(order))))
        return pa.concat_tables(parts)

    def _all_rows(self) -> "Iterator[pa.RecordBatch]":
        query = self._table.search().select([*PHOTO_COLUMNS, self._column]).with_row_id(True)
        for batch in self._where(query, None).limit(None).to_batches():
            names = ["embedding" if name == self._column else name for name in batch.schema.names]
            yield batch.rename_columns(names)


class _Selected:
    """A condition on a table's version, as a key to remember its row ids by."""

    def __init__(self, table: Any, version: int, where: str | None) -> None:
        self.table = table
        self._key = (id(table), version, where)
        self.where = where

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Selected) and self._key == other._key


@lru_cache(maxsize=8)
def _row_ids(selected: _Selected) -> RowIds:
    query = selected.table.search().select(["_rowid"]).with_row_id(True)
    if selected.where is not None:
        query = query.where(selected.where)
    # Row ids alone are small: batches of the size that whole rows need would cost ten times as much.
    batches = query.limit(None).to_batches(65_536)
    parts = [batch["_rowid"].to_numpy(zero_copy_only=False) for batch in batches]
    return np.concatenate([np.empty(0, dtype=np.uint64), *parts])


@lru_cache(maxsize=4)
def _opened(folder: Path, state: IndexState) -> Index | None:
    try:
        return Index(folder, state)
    except (OSError, EOFError, ValueError, KeyError):
        _log.debug("the index %s cannot be read", folder, exc_info=True)
        return None


def drop_indices(folder: Path, *columns: str) -> None:
    """Remove what there is of indices beside a catalogue's table: those of the columns, or without any all."""
    for column in columns or _HOMES:
        drop_index(folder / _HOMES[column])


def _both(first: str | None, second: str | None) -> str | None:
    """SQL: both conditions, where there are two."""
    return f"({first}) AND {second}" if first and second else first or second


def _matrix(column: "pa.FixedSizeListArray") -> Vectors:
    """A column of embeddings as float32 [n, dim]."""
    flat = column.flatten().to_numpy(zero_copy_only=False)
    matrix: Vectors = flat.reshape(len(column), column.type.list_size).astype(np.float32)
    return matrix


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
