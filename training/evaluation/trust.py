"""How far zero-shot probabilities can be trusted: the expected calibration error, and what a temperature mends."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.identification.calibration import Bin, Judged, error, fit, reliability
from bioclip_search.identification.ranks import RankTree
from training.evaluation.by_rank import judge

__all__ = ["Trust", "trust"]

Numbers = npt.NDArray[np.int64]

_MOST_FITTED = 2_000


@dataclass(frozen=True, slots=True)
class Trust:
    """Calibration errors from 0 to 1 in ten bins, over all ranks and at species alone.

    `temperature` is fitted on one half of the specimens, and `error_before` and `error_fitted` are measured on the
    other half, over all ranks; None where there is no other half.
    """

    error: float
    error_at_species: float
    bins: tuple[Bin, ...]
    temperature: float | None
    error_before: float | None
    error_fitted: float | None


def trust(
    tree: RankTree,
    images: Features,
    classes: Features,
    truth: Numbers,
    logit_scale: float,
    specimens: Numbers,
    seed: int = 0,
) -> Trust:
    """Calibration of zero-shot answers; arguments as `by_rank` takes them, and the photos' specimens int64 [n]."""

    def judged_at(rows: Numbers, temperature: float) -> Judged:
        return judge(tree, images, classes, truth, logit_scale, temperature, rows)

    whole = judged_at(np.arange(len(images)), 1.0)
    at_species = Judged(whole.confidences[:, -1:], whole.right[:, -1:], whole.told[:, -1:])
    _, numbered = np.unique(specimens, return_inverse=True)
    rng = np.random.default_rng(seed)
    is_fitted = rng.permutation(numbered.max() + 1)[numbered] % 2 == 0
    if is_fitted.all():
        return Trust(error(whole), error(at_species), tuple(reliability(whole)), None, None, None)
    fitted = rng.permutation(np.flatnonzero(is_fitted))[:_MOST_FITTED]
    temperature = fit(lambda value: judged_at(fitted, value).loss)
    before, after = (error(judged_at(np.flatnonzero(~is_fitted), value)) for value in (1.0, temperature))
    return Trust(error(whole), error(at_species), tuple(reliability(whole)), temperature, before, after)
