"""Thumbnails that wait to be drawn: those on the screen first, and what has scrolled away not at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

__all__ = ["DrawQueue", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thumbnail (JPEG) of the photo at `index` in the results."""

    index: int
    key: str
    data: bytes


class DrawQueue:
    """Filled by the event loop, emptied by the one thread that draws."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}
        self._in_hand: set[int] = set()
        self._first = range(0)
        self._is_drawing = False
        self._lock = Lock()

    def put(self, items: Mapping[int, tuple[str, bytes]]) -> bool:
        """Add thumbnails by index; whether a thread must be started to draw them."""
        with self._lock:
            self._waiting.update((index, Waiting(index, *item)) for index, item in items.items())
            is_idle = bool(self._waiting) and not self._is_drawing
            self._is_drawing = self._is_drawing or is_idle
            return is_idle

    def keep(self, wanted: range, first: range) -> None:
        """Drop all that are not in `wanted`; those in `first` are on the screen."""
        with self._lock:
            self._waiting = {index: item for index, item in self._waiting.items() if index in wanted}
            self._first = first

    def take(self, count: int) -> list[Waiting]:
        """The next thumbnails to draw; after an empty list the thread must end."""
        with self._lock:
            order = sorted(self._waiting, key=lambda index: (index not in self._first, index))
            taken = [self._waiting.pop(index) for index in order[:count]]
            self._in_hand.update(item.index for item in taken)
            self._is_drawing = bool(taken)
            return taken

    def done(self, indices: Iterable[int]) -> None:
        """Those that were taken have been drawn."""
        with self._lock:
            self._in_hand.difference_update(indices)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._in_hand.clear()

    def __contains__(self, index: int) -> bool:
        """Whether a thumbnail waits, or is being drawn."""
        with self._lock:
            return index in self._waiting or index in self._in_hand
