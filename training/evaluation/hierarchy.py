"""Whether features lie as the tree of life does: near in the tree, near in the features.

The figure is Spearman's rank correlation, over pairs of species, of 1 − cosine with the height of the lowest common
ancestor. It says how the order of distances agrees, not that each pair is right; pairs share species and are not
independent, so no significance is told. The picture is a plain PCA.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.identification.ranks import RankTree
from bioclip_search.vectors import unit
from training.evaluation.by_rank import heights

__all__ = ["Agreement", "Projection", "agreement", "centroids_of", "project", "spearman"]

Numbers = npt.NDArray[np.int64]

_MOST_SPECIES = 2_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Spearman's correlation, from -1 to 1, over the pairs of some species; None where no order is to be found."""

    species: int
    pairs: int
    spearman: float | None


@dataclass(frozen=True, slots=True)
class Projection:
    """`points` float64 [n, 2] and the share of the variance that lies in them."""

    points: npt.NDArray[np.float64]
    explained: float


def centroids_of(images: Features, species: Numbers, count: int) -> tuple[Features, Numbers]:
    """The mean direction of a species' photos, float32 [s, dim], and which of `count` species they are: int64 [s]."""
    sums = np.zeros((count, images.shape[1]), dtype=np.float64)
    np.add.at(sums, species, images)
    there = np.flatnonzero(np.bincount(species, minlength=count))
    return unit(sums[there].astype(np.float32)), there


def agreement(tree: RankTree, features: Features, taxa: Numbers, seed: int = 0) -> Agreement:
    """How features [n, dim] of unit length, one for each of the tree's `taxa` int64 [n], agree with the tree.

    Of many species 2,000 are drawn.
    """
    if len(taxa) > _MOST_SPECIES:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(taxa))[:_MOST_SPECIES])
        features, taxa = features[drawn], taxa[drawn]
    ones, others = np.triu_indices(len(taxa), k=1)
    distances = (1 - features @ features.T)[ones, others]
    return Agreement(len(taxa), len(ones), spearman(distances, heights(tree, taxa[ones], taxa[others])))


def spearman(ones: npt.NDArray[np.floating], others: npt.NDArray[np.integer]) -> float | None:
    """Spearman's rank correlation, equal values sharing their mean rank; None where one side is all equal."""
    first, second = (_ranks(values) - (len(values) - 1) / 2 for values in (ones, others))
    lengths = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / lengths) if lengths else None


def project(features: Features) -> Projection:
    """The two directions of most variance (PCA), each signed so that its largest part is positive."""
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    best = directions[:, ::-1][:, :2]
    best = best * np.sign(best[np.abs(best).argmax(axis=0), range(best.shape[1])])
    total = float(variances.clip(0).sum())
    return Projection(centred @ best, float(variances[-2:].clip(0).sum()) / total if total else 0.0)


def _ranks(values: npt.NDArray[np.floating] | npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (ends - (counts + 1) / 2)[place]
    return ranks
