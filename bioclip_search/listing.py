"""Lists of photos of any length: known by their places, and read a window at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from bioclip_search.branches import Branches
from bioclip_search.filters import Filter
from bioclip_search.memory import release_arrow
from bioclip_search.snapshot import Places, Snapshot
from bioclip_search.specimen import Photo
from bioclip_search.storage import past_errors
from bioclip_search.vector_search import VectorSearch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Listing", "Listings"]

_NUMBERS = ("occurrenceID", "institutionCode", "collectionCode", "catalogNumber")


class Listing:
    """Photos in an order; of each only its place in the table is held.

    The list is that of one version of the table: what is written later does not move it. Where that version is not
    there any more, what reads it raises CatalogueError.
    """

    def __init__(self, snapshot: Snapshot, places: Places) -> None:
        self._snapshot = snapshot
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def photos(self, start: int, stop: int) -> list[Photo]:
        """The photos from `start` up to `stop`; as many as there are."""
        with past_errors(self._snapshot.folder):
            return self._snapshot.photos(self._places[max(start, 0) : max(stop, 0)])

    def thumbnails(self, indices: Sequence[int]) -> list[bytes]:
        """The thumbnails (JPEG, 256 pixels) of some of the photos, by where they stand."""
        with past_errors(self._snapshot.folder):
            return self._snapshot.thumbnails(self._places[np.asarray(indices, dtype=np.int64)])

    @property
    def branches(self) -> Branches:
        """The tree of the taxa of these photos."""
        branches = self._snapshot.branches
        return branches.counted(np.bincount(self._snapshot.taxon[self._places], minlength=len(branches)))

    def sorted_by(self, columns: Sequence[str], *, descending: bool = False) -> "Listing":
        """The same photos in the order of the first of the columns that says anything; those of which none does last,
        and equal ones as they stand here."""
        import pyarrow.compute as pc

        values = self._columns(columns[:1])[columns[0]]
        for column in columns[1:]:
            if values.null_count:
                values = pc.coalesce(values, self._columns([column])[column])
        order = pc.sort_indices(values, sort_keys=[("", "descending" if descending else "ascending")]).to_numpy()
        del values
        release_arrow()
        return Listing(self._snapshot, self._places[order])

    def one_a_specimen(self) -> "Listing":
        """The first photo of each specimen; a specimen is known by its occurrenceID, else its catalogue number and
        codes, else the content of its photo."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self._columns([*_NUMBERS, "content_hash"])
        occurrence, institution, collection, number, content = (column.combine_chunks() for column in rows.columns)
        is_numbered = pc.and_(pc.is_null(occurrence), pc.is_valid(number))
        nothing = pa.scalar(None, pa.string())
        keys = {
            "name": pc.coalesce(occurrence, number, content),
            "institution": pc.if_else(is_numbered, institution, nothing),
            "collection": pc.if_else(is_numbered, collection, nothing),
            "is_numbered": is_numbered,
            "is_occurrence": pc.is_valid(occurrence),
        }
        table = pa.table({**keys, "at": pa.array(np.arange(len(self), dtype=np.int32))})
        first = table.group_by(list(keys)).aggregate([("at", "min")])["at_min"].to_numpy()
        return Listing(self._snapshot, self._places[np.sort(first)])

    def _columns(self, columns: Sequence[str]) -> "pa.Table":
        import pyarrow as pa

        with past_errors(self._snapshot.folder):
            rows = self._snapshot.columns(columns)
        is_whole = len(self) == rows.num_rows and bool((self._places[1:] > self._places[:-1]).all())
        return rows if is_whole else rows.take(pa.array(self._places))


class Listings:
    """Makes lists of the photos of a catalogue's table, and its tree of taxa; several threads may ask.

    `at_version` opens the table as it is at a version.
    """

    def __init__(self, folder: Path, table: Any, vectors: VectorSearch, at_version: Callable[[int], Any]) -> None:
        self._folder = folder
        self._table = table
        self._vectors = vectors
        self._at_version = at_version
        self._lock = Lock()
        self._known: tuple[int, Snapshot] | None = None

    def branches(self, *, include_missing: bool = False) -> Branches:
        """The tree of taxa with the numbers of photos."""
        snapshot = self._snapshot()
        return snapshot.branches if include_missing else snapshot.present_branches

    def listing(self, filter_: Filter) -> Listing:
        """The photos that a filter leaves, in the order of root and path."""
        snapshot = self._snapshot()
        with past_errors(self._folder):
            return Listing(snapshot, snapshot.in_order(snapshot.selected(filter_)))

    def _snapshot(self) -> Snapshot:
        """The table as it is now."""
        with self._lock, past_errors(self._folder):
            version = int(self._table.version)
            if self._known is None or self._known[0] != version:
                self._known = (version, Snapshot(self._folder, self._at_version(version), self._vectors.index()))
            return self._known[1]
