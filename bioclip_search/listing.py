"""Lists of photos of any length: known by their places, and read a window at a time."""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from bioclip_search.branches import Branches
from bioclip_search.filters import Filter
from bioclip_search.schema import PHOTO_COLUMNS, photo_from_row
from bioclip_search.snapshot import Places, Snapshot
from bioclip_search.specimen import Photo
from bioclip_search.vector_search import VectorSearch

__all__ = ["Listing", "Listings"]


class Listing:
    """Photos in an order; of each only its place in the table is held.

    The list is that of one version of the table: what is written later does not move it.
    """

    def __init__(self, snapshot: Snapshot, places: Places) -> None:
        self._snapshot = snapshot
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def photos(self, start: int, stop: int) -> list[Photo]:
        """The photos from `start` up to `stop`."""
        places = self._places[max(start, 0) : max(stop, 0)]
        return [photo_from_row(row) for row in self._snapshot.rows(places, PHOTO_COLUMNS).to_pylist()]

    @property
    def branches(self) -> Branches:
        """The tree of the taxa of these photos."""
        snapshot = self._snapshot
        counts = np.bincount(snapshot.taxon[self._places], minlength=len(snapshot.branches))
        return snapshot.branches.counted(counts)


class Listings:
    """Makes lists of the photos of a catalogue's table, and its tree of taxa; several threads may ask.

    `at_version` opens the table as it is at a version.
    """

    def __init__(self, table: Any, vectors: VectorSearch, at_version: Callable[[int], Any]) -> None:
        self._table = table
        self._vectors = vectors
        self._at_version = at_version
        self._lock = Lock()
        self._known: tuple[int, Snapshot] | None = None

    def snapshot(self) -> Snapshot:
        """The table as it is now."""
        with self._lock:
            version = int(self._table.version)
            if self._known is None or self._known[0] != version:
                self._known = (version, Snapshot(self._at_version(version), self._vectors.index()))
            return self._known[1]

    def branches(self, *, include_missing: bool = False) -> Branches:
        """The tree of taxa with the numbers of photos."""
        snapshot = self.snapshot()
        return snapshot.branches if include_missing else snapshot.present_branches

    def listing(self, filter_: Filter) -> Listing:
        """The photos that a filter leaves, in the order of root and path."""
        snapshot = self.snapshot()
        return Listing(snapshot, snapshot.in_order(snapshot.selected(filter_)))
