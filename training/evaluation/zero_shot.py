"""Zero-shot accuracy: a photo goes to the class whose text is nearest.

As in BioCLIP (Stevens et al. 2024, section 5): every class is put into the 80 templates of CLIP, the unit
features are averaged and made unit length again, and classes are the distinct texts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.taxonomy import Taxon, TextType

__all__ = ["TextLabels", "ZeroShot", "text_labels", "zero_shot"]

Numbers = npt.NDArray[np.int64]

_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """Shares from 0 to 1: the true class is first, is among the first five; the mean over classes of the first."""

    photos: int
    classes: int
    top1: float
    top5: float
    mean_per_class: float


@dataclass(frozen=True, slots=True)
class TextLabels:
    """The distinct texts of taxa, in order of first occurrence, and the text's number of every taxon: int64 [n]."""

    texts: tuple[str, ...]
    of_taxon: Numbers


def text_labels(taxa: Sequence[Taxon], kind: TextType) -> TextLabels:
    """What taxa are called in a type of text; taxa that are called the same are one class."""
    texts = [taxon.text(kind) or "" for taxon in taxa]
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return TextLabels(tuple(place), np.asarray([place[text] for text in texts], dtype=np.int64))


def zero_shot(images: Features, classes: Features, truth: Numbers) -> ZeroShot:
    """Accuracy of photos [n, dim] among classes [c, dim], both of unit length; `truth` int64 [n] are rows of classes.

    Of equal cosines the class that comes first wins. Without photos every share is 0.
    """
    places = np.concatenate([np.empty(0, dtype=np.int64), *_places(images, classes, truth)])
    right = places == 0
    if not len(right):
        return ZeroShot(0, len(classes), 0.0, 0.0, 0.0)
    counts = np.bincount(truth, minlength=len(classes))
    of_class = np.bincount(truth, weights=right, minlength=len(classes))[counts > 0] / counts[counts > 0]
    return ZeroShot(len(truth), len(classes), float(right.mean()), float((places < 5).mean()), float(of_class.mean()))


def _places(images: Features, classes: Features, truth: Numbers) -> Iterator[Numbers]:
    """How many classes come before the true one, for some photos at a time."""
    for start in range(0, len(images), _AT_ONCE):
        cosines = images[start : start + _AT_ONCE] @ classes.T
        own = truth[start : start + _AT_ONCE, None]
        of_own = np.take_along_axis(cosines, own, axis=1)
        earlier = np.arange(len(classes))[None] < own
        yield ((cosines > of_own) | ((cosines == of_own) & earlier)).sum(axis=1)
