"""Three ways to identify: by texts, by neighbours, by centroids; each gives probabilities of taxa."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bioclip_search.identification.block import Block
from bioclip_search.identification.centroids import Centroids
from bioclip_search.identification.neighbours import Neighbours, nearest
from bioclip_search.identification.softmax import softmax
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.identification.zero_shot import TextClasses

__all__ = ["BATCH_BYTES", "ByCentroids", "ByNeighbours", "ByText", "Method", "MethodName", "Scores"]

BATCH_BYTES = 256 * 2**20
"""What the logits of photos that are compared at a time may need."""

_MOST_AT_ONCE = 1_024


class MethodName(StrEnum):
    """The ways to identify a photo."""

    ZERO_SHOT = "zero-shot"
    NEIGHBOURS = "neighbours"
    CENTROIDS = "centroids"


class Scores(Protocol):
    """What a method found for n photos."""

    evidence: Neighbours | None

    def probabilities(self, rows: slice, temperature: float) -> npt.NDArray[np.float32]:
        """float32 [rows, taxa]; a row is all 0 where there is nothing to compare with."""


class Method(Protocol):
    """A way to identify among `taxa`; `at_once` photos are compared at a time."""

    name: MethodName
    taxa: TaxonTable
    at_once: int

    def score(self, unknown: Block) -> Scores: ...


class _Logits:
    def __init__(self, logits: npt.NDArray[np.float32]) -> None:
        self.evidence: Neighbours | None = None
        self._logits = logits

    def probabilities(self, rows: slice, temperature: float) -> npt.NDArray[np.float32]:
        return softmax(self._logits[rows], temperature)


class _Votes:
    def __init__(self, neighbours: Neighbours, count: int) -> None:
        self.evidence: Neighbours | None = neighbours
        self._neighbours = neighbours
        self._count = count

    def probabilities(self, rows: slice, temperature: float) -> npt.NDArray[np.float32]:
        return self._neighbours.take(rows).votes(self._count, temperature)


class ByText:
    """Zero-shot: the taxon whose text is nearest."""

    name = MethodName.ZERO_SHOT

    def __init__(self, taxa: TaxonTable, texts: TextClasses) -> None:
        self.taxa = taxa
        self.at_once = _at_once(len(taxa))
        self._texts = texts

    def score(self, unknown: Block) -> Scores:
        return _Logits(self._texts.logits(unknown.vectors))


class ByNeighbours:
    """The taxa of the nearest determined photos, each vote weighted by its cosine."""

    name = MethodName.NEIGHBOURS

    def __init__(self, taxa: TaxonTable, blocks: Callable[[], Iterable[Block]], k: int) -> None:
        self.taxa = taxa
        self.at_once = _MOST_AT_ONCE
        self._blocks = blocks
        self._k = k

    def score(self, unknown: Block) -> Scores:
        return _Votes(nearest(self._blocks(), unknown, self._k), len(self.taxa))


class ByCentroids:
    """The taxon whose photos have the nearest centroid."""

    name = MethodName.CENTROIDS

    def __init__(self, taxa: TaxonTable, blocks: Callable[[], Iterable[Block]]) -> None:
        self.taxa = taxa
        self.at_once = _at_once(len(taxa))
        self._centroids = Centroids(blocks, len(taxa))

    def score(self, unknown: Block) -> Scores:
        return _Logits(self._centroids.logits(unknown))


def _at_once(taxa: int) -> int:
    return max(1, min(_MOST_AT_ONCE, BATCH_BYTES // (4 * max(taxa, 1))))
