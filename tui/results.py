"""What a query gave, as the screen reads it: any number of photos, of which a few windows are held."""

import time
from collections import OrderedDict
from threading import Lock
from typing import Protocol

from bioclip_search.listing import Listing
from bioclip_search.query import Hit, Hits
from bioclip_search.schema import photo_id

__all__ = ["Found", "Listed", "Results"]

_HELD = 4_000


class Results(Protocol):
    """Photos in an order. `hits` is the whole answer of a similarity search, None for a list; `seconds` is how long
    it took to find them."""

    count: int
    hits: Hits | None
    seconds: float

    def at(self, index: int) -> Hit | None:
        """A hit; None while it has not been read. Never blocks."""

    def read(self, start: int, stop: int) -> None:
        """Read the hits from `start` up to `stop`; blocks, and is asked for in any thread."""

    def index_of(self, key: str) -> int | None:
        """Where the photo with this photo_id stands, as far as it has been read."""


class Found:
    """The hits of a similarity search, all of which are here."""

    def __init__(self, hits: Hits, seconds: float) -> None:
        self.hits: Hits | None = hits
        self.count = len(hits)
        self.seconds = seconds
        self._hits = hits.hits
        self._index = {photo_id(hit.photo.root, hit.photo.path): at for at, hit in enumerate(hits)}

    def at(self, index: int) -> Hit | None:
        return self._hits[index] if 0 <= index < self.count else None

    def read(self, start: int, stop: int) -> None:
        """Nothing is left to be read."""

    def index_of(self, key: str) -> int | None:
        return self._index.get(key)


class Listed:
    """A list of photos, of which the windows that were read last are held."""

    def __init__(self, listing: Listing, began: float) -> None:
        self.hits: Hits | None = None
        self.count = len(listing)
        self.seconds = time.perf_counter() - began
        self._listing = listing
        self._lock = Lock()
        self._held: OrderedDict[int, tuple[str, Hit]] = OrderedDict()
        self._index: dict[str, int] = {}

    def at(self, index: int) -> Hit | None:
        held = self._held.get(index)
        return None if held is None else held[1]

    def read(self, start: int, stop: int) -> None:
        start, stop = max(0, start), min(stop, self.count)
        wanted = [index for index in range(start, stop) if index not in self._held]
        if not wanted:
            return
        photos = self._listing.photos(wanted[0], wanted[-1] + 1)
        with self._lock:
            for index, photo in enumerate(photos, start=wanted[0]):
                key = photo_id(photo.root, photo.path)
                self._held[index] = (key, Hit(photo, None))
                self._held.move_to_end(index)
                self._index[key] = index
            while len(self._held) > max(_HELD, stop - start):
                _, (gone, _) = self._held.popitem(last=False)
                del self._index[gone]

    def index_of(self, key: str) -> int | None:
        return self._index.get(key)
