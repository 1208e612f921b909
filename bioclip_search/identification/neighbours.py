"""The nearest determined photos, and their votes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.identification.block import Block
from bioclip_search.identification.softmax import softmax
from bioclip_search.identification.taxa import MISSING, Codes

__all__ = ["VOTE_SHARPNESS", "Neighbours", "nearest"]

VOTE_SHARPNESS = 1 / 0.07
"""A neighbour's vote weighs exp(cosine × this / temperature), as in Wu et al. 2018 and Caron et al. 2021 (DINO)."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each of n photos its k nearest, best first.

    `scores` are cosines, float32 [n, k], -inf where there are fewer than k; `classes` are int32 [n, k]
    with MISSING there, `photos` are photo_ids [n, k].
    """

    scores: npt.NDArray[np.float32]
    classes: Codes
    photos: npt.NDArray[np.str_]

    def votes(self, count: int, temperature: float = 1.0) -> npt.NDArray[np.float32]:
        """Each taxon's share of the weighted votes: float32 [n, count], all 0 where there is no neighbour."""
        weights = softmax(self.scores * np.float32(VOTE_SHARPNESS), temperature)
        votes = np.zeros((len(weights), count), dtype=np.float32)
        rows, places = np.nonzero(self.classes != MISSING)
        np.add.at(votes, (rows, self.classes[rows, places]), weights[rows, places])
        return votes

    def take(self, rows: slice) -> "Neighbours":
        """The neighbours of some of the photos."""
        return Neighbours(self.scores[rows], self.classes[rows], self.photos[rows])


def nearest(blocks: Iterable[Block], unknown: Block, k: int) -> Neighbours:
    """The k nearest photos of the blocks to each unknown one: exact, one block in memory at a time.

    Leaving one out: the photo itself, copies of its file and other photos of its specimen never count.
    """
    count = len(unknown)
    found = Neighbours(
        np.full((count, k), -np.inf, dtype=np.float32),
        np.full((count, k), MISSING, dtype=np.int32),
        np.full((count, k), "", dtype=np.str_),
    )
    for block in blocks:
        scores = unknown.vectors @ block.vectors.T
        for column, same in unknown.kin(block):
            scores[same, column] = -np.inf
        found = _merged(found, _best(scores, block, k))
    return found


def _best(scores: npt.NDArray[np.float32], block: Block, k: int) -> Neighbours:
    if scores.shape[1] > k:
        places = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    else:
        places = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return Neighbours(np.take_along_axis(scores, places, axis=1), block.classes[places], block.photos[places])


def _merged(left: Neighbours, right: Neighbours) -> Neighbours:
    """The better k of two, sorted; what equals -inf is no neighbour."""
    k = left.scores.shape[1]
    scores = np.concatenate([left.scores, right.scores], axis=1)
    photos = np.concatenate([left.photos, right.photos], axis=1)
    order = np.lexsort((photos, -scores), axis=1)[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    classes = np.take_along_axis(np.concatenate([left.classes, right.classes], axis=1), order, axis=1)
    there = np.isfinite(best)
    return Neighbours(
        best, np.where(there, classes, MISSING), np.where(there, np.take_along_axis(photos, order, axis=1), "")
    )
