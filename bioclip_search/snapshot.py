"""One version of the table of photos, with what every list of photos needs: where each row is, and of which taxon."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.branches import Branches, Codes, Mask
from bioclip_search.filters import Filter
from bioclip_search.nearest.index import Index, RowIds
from bioclip_search.nearest.names import coded
from bioclip_search.schema import TAXON_COLUMNS
from bioclip_search.storage import take

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Places", "Snapshot"]

Places = npt.NDArray[np.int32]

# Narrow columns: batches of the size that whole rows need would cost ten times as much.
_AT_ONCE = 32_768


class Snapshot:
    """The rows of a table at one version, known by their places in it, 0 to n - 1.

    `table` is a LanceDB table that was checked out at a version; with an `index` that was made of that version the
    taxa need not be read from the table. What is costly is made when it is first asked for, by one thread.
    """

    def __init__(self, table: Any, index: Index | None = None) -> None:
        self.table = table
        self._lock = Lock()
        self._order_lock = Lock()
        if index is not None:
            self.row_ids: RowIds = index.row_ids
            self.is_missing: Mask = np.asarray(index.is_missing)
            names, columns = [list(some) for some, _ in index.taxa], [codes for _, codes in index.taxa]
        else:
            self.row_ids, self.is_missing, names, columns = _read(table)
        self.branches, self.taxon = Branches.of(names, columns)
        self.has_missing = bool(self.is_missing.any())

    def __len__(self) -> int:
        return len(self.row_ids)

    @cached_property
    def present_branches(self) -> Branches:
        """The tree of taxa without the photos whose files are missing."""
        if not self.has_missing:
            return self.branches
        return self.branches.counted(np.bincount(self.taxon[~self.is_missing], minlength=len(self.branches)))

    def selected(self, filter_: Filter) -> Mask | None:
        """Which rows a filter leaves, bool [n]; None for all."""
        masks: list[Mask] = []
        if filter_.taxa or filter_.not_taxa or filter_.is_placed:
            masks.append(self._allowed(filter_)[self.taxon])
        if not filter_.include_missing and self.has_missing:
            masks.append(~self.is_missing)
        if filter_.conditions:
            masks.append(self._meeting(" AND ".join(f"({condition})" for condition in filter_.conditions)))
        return np.logical_and.reduce(masks) if masks else None

    def _allowed(self, filter_: Filter) -> Mask:
        """Which of the distinct taxa a filter leaves."""
        allowed = np.ones(len(self.branches), dtype=np.bool_)
        for names in filter_.taxa:
            allowed &= self.branches.bearing(names)
        if filter_.not_taxa:
            allowed &= ~self.branches.bearing(filter_.not_taxa)
        if filter_.is_placed:
            within = np.zeros(len(self.branches), dtype=np.bool_)
            for path in filter_.within:
                within[self.branches.span(path)] = True
            allowed &= within
        return allowed

    def _meeting(self, condition: str) -> Mask:
        found = np.zeros(len(self), dtype=np.bool_)
        for batch in _batches(self.table, ["_rowid"], condition):
            found[self.places_of(batch["_rowid"].to_numpy())] = True
        return found

    def places_of(self, row_ids: RowIds) -> npt.NDArray[np.int64]:
        """The places of rows that are all in the table."""
        at = np.searchsorted(self.row_ids, row_ids, sorter=self._sorter)
        return at if self._sorter is None else self._sorter[at]

    @cached_property
    def _sorter(self) -> npt.NDArray[np.int64] | None:
        return None if bool(np.all(self.row_ids[1:] > self.row_ids[:-1])) else np.argsort(self.row_ids)

    def in_order(self, mask: Mask | None) -> Places:
        """The places that a mask leaves, in the order of root and path."""
        with self._order_lock:
            order = self._order
        if order is None:
            return np.arange(len(self), dtype=np.int32) if mask is None else np.flatnonzero(mask).astype(np.int32)
        return order if mask is None else order[mask[order]]

    @cached_property
    def _order(self) -> Places | None:
        """All places in the order of root and path; None where the table has it already."""
        if self._is_sorted():
            return None
        import pyarrow as pa
        import pyarrow.compute as pc

        batches = _batches(self.table, ["root", "path"])
        rows = pa.Table.from_batches([batch.drop_columns(["_rowid"]) for batch in batches])
        order = pc.sort_indices(rows, sort_keys=[("root", "ascending"), ("path", "ascending")])
        places: Places = order.to_numpy().astype(np.int32)
        return places

    def _is_sorted(self) -> bool:
        """Whether the table has the order of root and path: seen without holding it."""
        last: tuple[str, str] = ("", "")
        for batch in _batches(self.table, ["root", "path"]):
            if not batch.num_rows:
                continue
            roots, paths = batch["root"], batch["path"]
            if (roots[0].as_py(), paths[0].as_py()) < last or not _ascends(roots, paths):
                return False
            last = (roots[-1].as_py(), paths[-1].as_py())
        return True

    def rows(self, places: npt.NDArray[np.integer], columns: Sequence[str]) -> "pa.Table":
        """Columns of the rows at some places, in their order."""
        return take(self.table, self.row_ids[places], columns)


def _ascends(roots: "pa.Array", paths: "pa.Array") -> bool:
    """Whether pairs of root and path are in order."""
    import pyarrow.compute as pc

    wider = pc.less(roots[:-1], roots[1:])
    same = pc.and_(pc.equal(roots[:-1], roots[1:]), pc.less_equal(paths[:-1], paths[1:]))
    return pc.all(pc.or_(wider, same)).as_py() is not False


def _read(table: Any) -> tuple[RowIds, Mask, list[list[str]], list[Codes]]:
    """The ids of all rows, whether their files are missing, and their names as numbers."""
    import pyarrow as pa

    names: list[dict[str, int]] = [{} for _ in TAXON_COLUMNS]
    columns: list[list[Codes]] = [[np.empty(0, dtype=np.int32)] for _ in TAXON_COLUMNS]
    row_ids = [np.empty(0, dtype=np.uint64)]
    missing = [np.empty(0, dtype=np.bool_)]
    for batch in _batches(table, [*TAXON_COLUMNS, "missing_since"]):
        row_ids.append(batch["_rowid"].to_numpy().copy())
        missing.append(batch["missing_since"].is_valid().to_numpy(zero_copy_only=False))
        for known, parts, column in zip(names, columns, TAXON_COLUMNS, strict=True):
            parts.append(coded(pa.chunked_array([batch[column]]), known))
    codes = [np.concatenate(parts) for parts in columns]
    return np.concatenate(row_ids), np.concatenate(missing), [list(known) for known in names], codes


def _batches(table: Any, columns: Sequence[str], where: str | None = None) -> "Iterator[pa.RecordBatch]":
    query = table.search().select(list(columns)).with_row_id(True)
    if where is not None:
        query = query.where(where)
    yield from query.limit(None).to_batches(_AT_ONCE)
