"""Photos gathered by hand, shown like the results of a query."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioclip_search.query import Hit, Hits

__all__ = ["Kept"]


class Kept:
    """Hits that are all there: marked photos, or the photos of one specimen."""

    hits: "Hits | None" = None
    seconds = 0.0

    def __init__(self, kept: Sequence["Hit"]) -> None:
        self._kept = tuple(kept)
        self.count = len(self._kept)
        self.has_scores = any(hit.score is not None for hit in self._kept)

    def at(self, index: int) -> "Hit | None":
        return self._kept[index] if 0 <= index < self.count else None

    def read(self, start: int, stop: int) -> None:
        """Nothing is left to read."""
