"""How far probabilities can be trusted, and the temperature that makes them so.

A temperature divides the logits (Guo et al. 2017). It is fitted on the best name at each rank and
whether that is right, by their negative log-likelihood (as top-versus-all, Le Coz et al. 2024): with many
taxa, and with photos whose own taxon is not there to be found, that is what a confidence has to say.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.identification.block import Block
from bioclip_search.identification.identify import summed
from bioclip_search.identification.method import Method, Scores
from bioclip_search.identification.ranks import RankTree
from bioclip_search.identification.softmax import TEMPERATURES
from bioclip_search.identification.taxa import MISSING
from bioclip_search.taxonomy import RANKS

__all__ = ["Bin", "Calibration", "Judged", "calibrate", "error", "fit", "judged", "reliability", "scored"]

_STEPS = 17
_GOLDEN = (math.sqrt(5) - 1) / 2
_CLOSE = 0.01
_CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Judged:
    """The best name at each rank of photos whose determination is known.

    `confidences` float64 and `right` bool, both [photos, ranks]; `told` bool says where the photo's own
    determination has that rank, the others do not count.
    """

    confidences: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]
    told: npt.NDArray[np.bool_]

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood, in nats, over photos and ranks.

        Right and wrong are a little less than 1 and a little more than 0 (Platt 1999): where every answer
        is right, the fit does not end in blind confidence.
        """
        sure = np.clip(self.confidences[self.told], _CERTAIN, 1 - _CERTAIN)
        right = self.right[self.told]
        if not len(sure):
            return 0.0
        target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
        return float(-(target * np.log(sure) + (1 - target) * np.log(1 - sure)).mean())


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: how many, their mean confidence, the share that is right."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted temperature: on how many photos, and loss and calibration error before and after."""

    temperature: float
    photos: int
    loss_before: float
    loss_after: float
    error_before: float
    error_after: float


def scored(method: Method, blocks: Iterable[Block]) -> list[tuple[Block, Scores]]:
    """Photos whose `classes` are known, compared by a method; leaving one out is the method's own habit."""
    return [(block, method.score(block)) for block in blocks]


def judged(tree: RankTree, found: Iterable[tuple[Block, Scores]], temperature: float) -> Judged:
    """What a method says of photos at a temperature, and whether it is right."""
    parts = []
    for block, scores in found:
        for rows, sums in summed(tree, scores, len(block), temperature):
            parts.append([_at_rank(tree, of_rank, place, block.classes[rows]) for place, of_rank in enumerate(sums)])
    confidences, right, told = (
        np.concatenate([np.stack([rank[field] for rank in part], axis=1) for part in parts]) for field in range(3)
    )
    return Judged(confidences, right.astype(np.bool_), told.astype(np.bool_))


def _at_rank(
    tree: RankTree, sums: npt.NDArray[np.float64], place: int, classes: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    rank = RANKS[place]
    named = np.where(tree.is_named(rank), sums, 0.0)
    best = named.argmax(axis=1)
    own = tree.groups(rank)[classes]
    confidences = named[np.arange(len(best)), best]
    return confidences, (best == own) & (confidences > 0), tree.taxa.ranks[classes, place] != MISSING


def fit(loss: Callable[[float], float]) -> float:
    """The temperature of least loss: looked for over four decades, then by golden sections around the best."""
    grid = np.geomspace(*TEMPERATURES, _STEPS)
    best = int(np.argmin([loss(float(temperature)) for temperature in grid]))
    low, high = (math.log(grid[place]) for place in (max(best - 1, 0), min(best + 1, _STEPS - 1)))
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    losses = [loss(math.exp(place)) for place in inner]
    while high - low > _CLOSE:
        if losses[0] <= losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - _GOLDEN * (high - low)
            losses[0] = loss(math.exp(inner[0]))
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + _GOLDEN * (high - low)
            losses[1] = loss(math.exp(inner[1]))
    return math.exp((low + high) / 2)


def calibrate(method: Method, found: list[tuple[Block, Scores]]) -> Calibration:
    """Fit the temperature of a method on photos that it has `scored`."""
    tree = RankTree(method.taxa)
    temperature = fit(lambda value: judged(tree, found, value).loss)
    before, after = judged(tree, found, 1.0), judged(tree, found, temperature)
    return Calibration(temperature, len(before.told), before.loss, after.loss, error(before), error(after))


def reliability(found: Judged, bins: int = 10) -> list[Bin]:
    """Answers over all ranks, in bins of equal width of confidence; empty bins are left out."""
    confidences, right = found.confidences[found.told], found.right[found.told]
    place = np.minimum((confidences * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(confidences[inside].mean()), float(right[inside].mean()))
        for inside in (place == number for number in range(bins))
        if inside.any()
    ]


def error(found: Judged, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): the mean distance of confidence and accuracy in the bins."""
    parts = reliability(found, bins)
    total = sum(part.count for part in parts)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in parts) / max(total, 1)
