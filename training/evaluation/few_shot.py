"""Few-shot accuracy: SimpleShot (Wang et al. 2019), as BioCLIP's evaluation uses it.

The mean of all support photos is taken off every embedding, which is then made unit length (CL2N); a species'
centroid is the mean of its support so treated, and the nearest one by Euclidean distance wins. Unlike the
published code, every fold is drawn from a generator of its own, so that no fold depends on the one before, and
no specimen is both in the support and asked for.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.identification.block import NO_SPECIMEN, Block
from bioclip_search.identification.centroids import Centroids

__all__ = ["FewShot", "Fold", "draw_fold", "few_shot", "nearest_neighbour", "simple_shot"]

Numbers = npt.NDArray[np.int64]

_AT_ONCE = 1_024
_ASKED_AT_ONCE = 16 * _AT_ONCE


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows of the photos that are learnt from, and of those that are asked for."""

    support: Numbers
    queries: Numbers


@dataclass(frozen=True, slots=True)
class FewShot:
    """Accuracies from 0 to 1, one a fold, of SimpleShot and of the nearest support photo.

    `species` of them have enough specimens; `queries` is the mean number of photos asked for in a fold.
    """

    shots: int
    species: int
    queries: float
    simple_shot: tuple[float, ...]
    nearest: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean of SimpleShot over the folds."""
        return float(np.mean(self.simple_shot))

    @property
    def std(self) -> float:
        """The sample standard deviation of SimpleShot over the folds; 0 for a single one."""
        return float(np.std(self.simple_shot, ddof=1)) if len(self.simple_shot) > 1 else 0.0


def few_shot(
    images: Features,
    species: Numbers,
    shots: int,
    *,
    folds: int = 5,
    seed: int = 0,
    specimens: Numbers | None = None,
) -> FewShot | None:
    """Accuracy with `shots` photos a species to learn from, in independent folds.

    `images` float32 [n, dim]; `species` and `specimens` int64 [n] (without these every photo is a specimen of its
    own). Species with more than `shots` specimens take part; None where there are not two of them.
    """
    own = np.arange(len(images)) if specimens is None else specimens
    rows = _with_enough(species, own, shots)
    if len(np.unique(species[rows])) < 2:
        return None
    drawn = [draw_fold(species[rows], own[rows], shots, np.random.default_rng((seed, shots, n))) for n in range(folds)]
    by_centroid, by_neighbour = [], []
    for fold in drawn:
        support, queries = rows[fold.support], rows[fold.queries]
        learnt = (images[support], species[support])
        by_centroid.append(_accuracy(simple_shot, learnt, images, queries, species))
        by_neighbour.append(_accuracy(nearest_neighbour, learnt, images, queries, species))
    asked = float(np.mean([len(fold.queries) for fold in drawn]))
    return FewShot(shots, len(np.unique(species[rows])), asked, tuple(by_centroid), tuple(by_neighbour))


def _accuracy(
    answer: Callable[[Features, Numbers, Features], Numbers],
    learnt: tuple[Features, Numbers],
    images: Features,
    queries: Numbers,
    species: Numbers,
) -> float:
    """Of the photos in the rows `queries`; only some of them are in memory at a time."""
    right = 0
    for start in range(0, len(queries), _ASKED_AT_ONCE):
        asked = queries[start : start + _ASKED_AT_ONCE]
        right += int((answer(*learnt, images[asked]) == species[asked]).sum())
    return right / len(queries) if len(queries) else math.nan


def draw_fold(species: Numbers, specimens: Numbers, shots: int, rng: np.random.Generator) -> Fold:
    """For every species one photo of each of `shots` specimens as support; the photos of its others are asked for."""
    _, numbered = np.unique(specimens, return_inverse=True)
    of_specimen, of_photo = rng.permutation(numbered.max() + 1)[numbered], rng.permutation(len(species))
    order = np.lexsort((of_photo, of_specimen, species))
    kinds, own = species[order], numbered[order]
    first_of_species = np.concatenate([[True], kinds[1:] != kinds[:-1]])
    first_of_specimen = first_of_species | np.concatenate([[True], own[1:] != own[:-1]])
    count = np.cumsum(first_of_specimen)
    place = count - np.maximum.accumulate(np.where(first_of_species, count, 0))
    support = order[first_of_specimen & (place < shots)]
    queries = order[place >= shots]
    # A photo may show a specimen that stands for another species too.
    return Fold(np.sort(support), np.sort(queries[~np.isin(numbered[queries], numbered[support])]))


def simple_shot(support: Features, species: Numbers, queries: Features) -> Numbers:
    """The species of the nearest centroid: support [s, dim] of `species` int64 [s], queries [q, dim] -> int64 [q]."""
    names, classes = np.unique(species, return_inverse=True)
    known = _block(support, classes, 0)
    centroids = Centroids(lambda: [known], len(names))
    parts = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(queries), _AT_ONCE):
        asked = queries[start : start + _AT_ONCE]
        unknown = _block(asked, np.full(len(asked), -1), len(support) + start)
        parts.append(names[centroids.logits(unknown).argmax(axis=1)])
    return np.concatenate(parts)


def nearest_neighbour(support: Features, species: Numbers, queries: Features) -> Numbers:
    """The species of the nearest support photo by Euclidean distance; shapes as in `simple_shot`."""
    lengths = (support**2).sum(axis=1)
    parts = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(queries), _AT_ONCE):
        distances = lengths - 2 * queries[start : start + _AT_ONCE] @ support.T
        parts.append(species[distances.argmin(axis=1)])
    return np.concatenate(parts)


def _with_enough(species: Numbers, specimens: Numbers, shots: int) -> Numbers:
    """Rows of the species that have more than `shots` specimens."""
    kinds = np.unique(np.stack([species, specimens]), axis=1)[0]
    names, counts = np.unique(kinds, return_counts=True)
    return np.flatnonzero(np.isin(species, names[counts > shots]))


def _block(vectors: Features, classes: Numbers, first: int) -> Block:
    """Photos that are no kin to each other."""
    count = len(vectors)
    contents = np.arange(first, first + count, dtype=np.uint64)
    specimens = np.full(count, NO_SPECIMEN, dtype=np.uint64)
    return Block(vectors, classes.astype(np.int32), contents, specimens, np.full(count, "", dtype=np.str_))
