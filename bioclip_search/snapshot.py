"""One version of the table of photos, with what every list of photos needs: where each row is, and of which taxon."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.branches import Branches, Codes, Mask
from bioclip_search.filters import Filter
from bioclip_search.memory import release_arrow
from bioclip_search.nearest.index import Index, RowIds
from bioclip_search.nearest.names import Names, coded
from bioclip_search.schema import PHOTO_COLUMNS, TAXON_COLUMNS, THUMBNAIL, photo_from_row
from bioclip_search.specimen import Photo
from bioclip_search.storage import take

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Places", "Snapshot"]

Places = npt.NDArray[np.int32]

# Narrow columns: batches of the size that whole rows need would cost ten times as much.
_AT_ONCE = 8_192
# Photos that stand in more parts of the file than this are read sooner from the table.
_FEW_BATCHES = 32


class Snapshot:
    """The rows of a table at one version, known by their places in it, 0 to n - 1.

    `folder` is the catalogue's, `table` a LanceDB table that was checked out at a version; with an `index` that was
    made of that version the table itself is read for little. What is costly is made when it is first asked for, by one
    thread.
    """

    def __init__(self, folder: Path, table: Any, index: Index | None = None) -> None:
        self.folder = folder
        self._table = table
        self._index = index
        self._lock = Lock()
        if index is None:
            self.row_ids, self.is_missing, names, columns = _read(table)
            self.branches, self.taxon = Branches.of(names, columns.__getitem__)
        else:
            self.row_ids, self.is_missing = index.row_ids, np.asarray(index.is_missing)
            self.branches, self.taxon = Branches.of(index.taxon_names, index.taxon_codes)
        self.has_missing = bool(self.is_missing.any())
        release_arrow()

    def __len__(self) -> int:
        return len(self.row_ids)

    @cached_property
    def present_branches(self) -> Branches:
        """The tree of taxa without the photos whose files are missing."""
        if not self.has_missing:
            return self.branches
        return self.branches.counted(np.bincount(self.taxon[~self.is_missing], minlength=len(self.branches)))

    # Which rows

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
        for batch in _batches(self._table, ["_rowid"], condition):
            found[self._places_of(batch["_rowid"].to_numpy())] = True
        return found

    def _places_of(self, row_ids: RowIds) -> npt.NDArray[np.int64]:
        """The places of rows that are all in the table."""
        at = np.searchsorted(self.row_ids, row_ids, sorter=self._sorter)
        return at if self._sorter is None else self._sorter[at]

    @cached_property
    def _sorter(self) -> npt.NDArray[np.int64] | None:
        return None if bool(np.all(self.row_ids[1:] > self.row_ids[:-1])) else np.argsort(self.row_ids)

    # In which order

    def in_order(self, mask: Mask | None) -> Places:
        """The places that a mask leaves, in the order of root and path."""
        with self._lock:
            order = self._order
        if order is None:
            return np.arange(len(self), dtype=np.int32) if mask is None else np.flatnonzero(mask).astype(np.int32)
        return order if mask is None else order[mask[order]]

    @cached_property
    def _order(self) -> Places | None:
        """All places in the order of root and path; None where the table has it already."""
        import pyarrow.compute as pc

        is_sorted = self._is_sorted()
        release_arrow()
        if is_sorted:
            return None

        keys = [("root", "ascending"), ("path", "ascending")]
        order: Places = pc.sort_indices(self.columns(["root", "path"]), sort_keys=keys).to_numpy().astype(np.int32)
        return order

    def _is_sorted(self) -> bool:
        """Whether the places have the order of root and path: seen without holding these."""
        last: tuple[str, str] = ("", "")
        at = 0
        for batch in self._scan(["root", "path"]):
            roots, paths = batch["root"], batch["path"]
            if not len(roots):
                continue
            row_ids = self.row_ids[at : at + len(roots)]
            if "_rowid" in batch.schema.names and not np.array_equal(batch["_rowid"].to_numpy(), row_ids):
                return False
            if (roots[0].as_py(), paths[0].as_py()) < last or not _ascends(roots, paths):
                return False
            last = (roots[-1].as_py(), paths[-1].as_py())
            at += len(roots)
        return True

    # What stands in them

    def photos(self, places: npt.NDArray[np.integer]) -> list[Photo]:
        """The photos at some places, in their order."""
        if self._index is not None and len(np.unique(places // self._index.rows_at_once)) <= _FEW_BATCHES:
            rows = self._index.rows(places.astype(np.int64))
            self._index.let_go()
        else:
            rows = take(self._table, self.row_ids[places], PHOTO_COLUMNS).to_pylist()
        return [photo_from_row(row) for row in rows]

    def thumbnails(self, places: npt.NDArray[np.integer]) -> list[bytes]:
        """The thumbnails (JPEG, 256 pixels) of the photos at some places; b"" where there is none."""
        column = take(self._table, self.row_ids[places], [THUMBNAIL])[THUMBNAIL]
        return [thumbnail or b"" for thumbnail in column.to_pylist()]

    def columns(self, columns: Sequence[str]) -> "pa.Table":
        """Columns of all rows, in the order of their places; for narrow ones, without embedding and thumbnail."""
        import pyarrow as pa

        batches = list(self._scan(columns))
        if not batches:
            return pa.schema([self._table.schema.field(column) for column in columns]).empty_table()
        rows = pa.Table.from_batches(batches).combine_chunks()
        if "_rowid" not in rows.column_names:
            return rows
        row_ids = rows["_rowid"].to_numpy()
        rows = rows.drop_columns(["_rowid"])
        if np.array_equal(row_ids, self.row_ids):
            return rows
        return rows.take(pa.array(np.argsort(self._places_of(row_ids))))

    def _scan(self, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        return _batches(self._table, columns) if self._index is None else self._index.scan(columns)


def _ascends(roots: "pa.Array", paths: "pa.Array") -> bool:
    """Whether pairs of root and path are in order."""
    import pyarrow.compute as pc

    wider = pc.less(roots[:-1], roots[1:])
    same = pc.and_(pc.equal(roots[:-1], roots[1:]), pc.less_equal(paths[:-1], paths[1:]))
    return pc.all(pc.or_(wider, same)).as_py() is not False


def _read(table: Any) -> tuple[RowIds, Mask, list[Names], list[Codes]]:
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
    return np.concatenate(row_ids), np.concatenate(missing), [Names.of(list(known)) for known in names], codes


def _batches(table: Any, columns: Sequence[str], where: str | None = None) -> "Iterator[pa.RecordBatch]":
    """Columns and `_rowid` of the rows that a condition selects."""
    query = table.search().select(list(columns)).with_row_id(True)
    if where is not None:
        query = query.where(where)
    yield from query.limit(None).to_batches(_AT_ONCE)
