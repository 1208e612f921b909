"""What a query gave, as the screen reads it: any number of photos, of which a few windows are held."""

from collections import OrderedDict
from collections.abc import Sequence
from enum import StrEnum
from threading import Lock
from typing import Protocol

from bioclip_search.listing import Listing
from bioclip_search.query import Hit, Hits
from tui.named import key_of

__all__ = ["SearchResults", "ListResults", "Order", "Results"]

_HELD = 600
# A gallery keeps the page on the screen, the one before and the one after.
_PAGES = 4


class Order(StrEnum):
    """The orders in which results can be shown; `SIMILARITY` is for searches, `PLACE` is that of root and path."""

    SIMILARITY = "similarity"
    PLACE = "path"
    NAME = "name"
    NUMBER = "catalogue number"
    INDEXED = "date indexed"


class Results(Protocol):
    """Photos in an order. `hits` is the whole answer of a search, None for a list; `seconds` is how long it took;
    `has_scores` says whether any photo has one."""

    count: int
    has_scores: bool
    hits: Hits | None
    seconds: float

    def at(self, index: int) -> Hit | None:
        """A hit; None while it has not been read. Never blocks."""

    def read(self, start: int, stop: int) -> None:
        """Read the hits from `start` up to `stop`; blocks, and may be asked for in any thread."""


class SearchResults:
    """The hits of a search, all of which are here."""

    def __init__(self, hits: Hits, seconds: float, order: Sequence[Hit] | None = None) -> None:
        self.hits: Hits | None = hits
        self.count = len(hits)
        self.seconds = seconds
        self._hits = tuple(hits if order is None else order)
        self.has_scores = any(hit.score is not None for hit in self._hits)

    def at(self, index: int) -> Hit | None:
        return self._hits[index] if 0 <= index < self.count else None

    def read(self, start: int, stop: int) -> None:
        """Nothing is left to be read."""


class ListResults:
    """A list of photos, of which some hundreds that were read last are held, and never less than the view is near."""

    has_scores = False

    def __init__(self, listing: Listing, seconds: float) -> None:
        self.hits: Hits | None = None
        self.count = len(listing)
        self.seconds = seconds
        self.listing = listing
        self._lock = Lock()
        self._most = _HELD
        self._held: OrderedDict[int, tuple[str, Hit]] = OrderedDict()
        self._index: dict[str, int] = {}

    def at(self, index: int) -> Hit | None:
        held = self._held.get(index)
        return None if held is None else held[1]

    def read(self, start: int, stop: int) -> None:
        with self._lock:
            span = range(max(0, start), min(stop, self.count))
            for index in span:
                if index in self._held:
                    self._held.move_to_end(index)
            lacking = [index for index in span if index not in self._held]
        if not lacking:
            return
        photos = self.listing.photos(lacking[0], lacking[-1] + 1)
        with self._lock:
            for index, photo in enumerate(photos, start=lacking[0]):
                hit = Hit(photo, None)
                key = key_of(hit)
                self._held[index] = (key, hit)
                self._index[key] = index
            self._most = max(self._most, _PAGES * len(span))
            while len(self._held) > self._most:
                _, (gone, _) = self._held.popitem(last=False)
                self._index.pop(gone, None)

    def thumbnails(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The thumbnails of those photos that have been read, by photo_id."""
        there = [(key, index) for key in keys if (index := self._index.get(key)) is not None]
        images = self.listing.thumbnails([index for _, index in there]) if there else []
        return {key: image for (key, _), image in zip(there, images, strict=True)}
