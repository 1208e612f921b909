"""The nearest centroid of a taxon: SimpleShot (Wang et al. 2019), as BioCLIP's few-shot evaluation uses it.

The mean of all determined photos is taken off every embedding, which is then made unit length (CL2N);
a taxon's centroid is the mean of its photos so treated, and the nearest one by Euclidean distance wins.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.identification.block import NO_SPECIMEN, Block
from bioclip_search.vectors import unit

__all__ = ["CENTROID_SHARPNESS", "Centroids"]

CENTROID_SHARPNESS = 1 / 0.07
"""Logits are half the negative squared distances × this: on the scale of the neighbours' cosines."""

Logits = npt.NDArray[np.float32]


class Centroids:
    """Centroids of taxa as running sums: memory grows with the taxa, not with the photos.

    Leaving one out: what a photo's own specimen, and copies of its file, gave to sums is taken off again
    when the photo is compared; the mean of all photos stays.
    """

    def __init__(self, blocks: Callable[[], Iterable[Block]], count: int) -> None:
        """`blocks` is called for each pass: one for the mean, one for the sums; `count` is the number of taxa."""
        self._blocks = blocks
        self.mean = _mean(blocks())
        self._sums = np.zeros((count, len(self.mean)), dtype=np.float32)
        self.photos = np.zeros(count, dtype=np.int64)
        contents, specimens = [], []
        for block in blocks():
            self._add(block)
            contents.append(block.contents)
            specimens.append(block.specimens)
        self._contents, self._specimens = np.concatenate(contents), np.concatenate(specimens)

    def normalised(self, vectors: Features) -> Features:
        """CL2N: float32 [n, dim]."""
        return unit(vectors - self.mean)

    def logits(self, unknown: Block) -> Logits:
        """float32 [n, taxa]: -|query − centroid|² / 2 × CENTROID_SHARPNESS, -inf for a taxon without other photos."""
        queries = self.normalised(unknown.vectors)
        counts = np.maximum(self.photos, 1)[:, None]
        centroids = (self._sums / counts).astype(np.float32)
        distances = _squared(queries, centroids)
        distances[:, self.photos == 0] = np.inf
        if self._has_kin(unknown):
            self._without_kin(unknown, queries, distances)
        logits: Logits = distances * np.float32(-CENTROID_SHARPNESS / 2)
        return logits

    def _add(self, block: Block) -> None:
        order = np.argsort(block.classes, kind="stable")
        classes, starts = np.unique(block.classes[order], return_index=True)
        self._sums[classes] += np.add.reduceat(self.normalised(block.vectors)[order], starts, axis=0)
        self.photos[classes] += np.diff(np.append(starts, len(order)))

    def _has_kin(self, unknown: Block) -> bool:
        numbered = unknown.specimens[unknown.specimens != NO_SPECIMEN]
        return bool(np.isin(unknown.contents, self._contents).any() or np.isin(numbered, self._specimens).any())

    def _without_kin(self, unknown: Block, queries: Features, distances: Logits) -> None:
        """Compare again with the taxa of each photo's own kin, of which these are taken off."""
        own: dict[tuple[int, int], list[Features]] = {}
        for block in self._blocks():
            for column, same in unknown.kin(block):
                vector = self.normalised(block.vectors[column : column + 1])[0]
                for row in np.flatnonzero(same):
                    own.setdefault((int(row), int(block.classes[column])), []).append(vector)
        for (at, taxon), vectors in own.items():
            left = int(self.photos[taxon]) - len(vectors)
            if left <= 0:
                distances[at, taxon] = np.inf
            else:
                centroid = (self._sums[taxon] - np.sum(vectors, axis=0)) / left
                distances[at, taxon] = _squared(queries[at : at + 1], centroid[None])[0, 0]


def _mean(blocks: Iterable[Block]) -> Features:
    total, count = 0.0, 0
    for block in blocks:
        total = total + block.vectors.sum(axis=0, dtype=np.float64)
        count += len(block)
    result: Features = np.asarray(total / max(count, 1), dtype=np.float32)
    return result


def _squared(queries: Features, centroids: Features) -> Logits:
    """Squared Euclidean distances: float32 [n, taxa]; queries are of unit length or 0."""
    lengths = (queries**2).sum(axis=1)[:, None] + (centroids**2).sum(axis=1)[None]
    result: Logits = (lengths - 2 * queries @ centroids.T).astype(np.float32)
    return result
