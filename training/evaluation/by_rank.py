"""Accuracy at every rank of the tree, and how far off the errors are.

A probability of a species counts towards every wider taxon of its lineage, so the best genus need not be that of
the best species. The distance of two taxa is the height of their lowest common ancestor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.identification.block import NO_SPECIMEN, Block
from bioclip_search.identification.calibration import Judged, judged
from bioclip_search.identification.neighbours import Neighbours
from bioclip_search.identification.ranks import RankTree
from bioclip_search.identification.softmax import softmax
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.taxonomy import RANKS, Rank, Taxon
from training.evaluation.retrieval import nearest_others

__all__ = ["ByRank", "by_rank", "heights", "judge", "neighbours_by_rank", "rank_tree"]

Numbers = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]

_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class ByRank:
    """Shares from 0 to 1 by rank, of the photos whose own taxon has that rank.

    `of_best` asks for the taxon of the best species, `summed` for the best sum of probabilities. `distance` is the
    mean height of the lowest common ancestor of wrong answers and the truth: 1 for another species of the genus, 7
    where nothing is shared, None without an error; `errors` is their number.
    """

    photos: int
    of_best: dict[Rank, float]
    summed: dict[Rank, float]
    errors: int
    distance: float | None


def rank_tree(taxa: Sequence[Taxon]) -> RankTree:
    """The tree of taxa, wider ranks filled in where another taxon of the same name has them."""
    return RankTree(TaxonTable.of(taxa).completed())


def by_rank(
    tree: RankTree, images: Features, classes: Features, truth: Numbers, logit_scale: float, temperature: float = 1.0
) -> ByRank:
    """Accuracy of photos [n, dim] among the tree's taxa [taxa, dim]; `truth` int64 [n] are rows of these."""
    found = judge(tree, images, classes, truth, logit_scale, temperature)
    guesses = np.concatenate([np.empty(0, dtype=np.int64), *(part.argmax(axis=1) for part in _parts(images, classes))])
    right = np.stack([tree.groups(rank)[guesses] == tree.groups(rank)[truth] for rank in RANKS], axis=1)
    wrong = guesses != truth
    distances = heights(tree, guesses[wrong], truth[wrong])
    return ByRank(
        photos=len(truth),
        of_best=_shares(right, found.told),
        summed=_shares(found.right, found.told),
        errors=int(wrong.sum()),
        distance=float(distances.mean()) if len(distances) else None,
    )


def neighbours_by_rank(
    tree: RankTree, images: Features, truth: Numbers, specimens: Numbers
) -> tuple[dict[Rank, float], dict[Rank, int]]:
    """How often the most similar photo of another specimen has the same taxon at a rank, and of how many photos.

    Only photos count whose taxon at the rank another specimen has as well: the others cannot be right.
    """
    nearest = nearest_others(images, specimens)
    shares, counts = {}, {}
    for rank in RANKS:
        groups = tree.groups(rank)[truth]
        kinds = np.unique(np.stack([groups, specimens]), axis=1)[0]
        names, shown = np.unique(kinds, return_counts=True)
        asked = tree.is_named(rank)[groups] & np.isin(groups, names[shown > 1])
        if asked.any():
            shares[rank] = float((groups[asked] == groups[nearest[asked]]).mean())
            counts[rank] = int(asked.sum())
    return shares, counts


def judge(
    tree: RankTree,
    images: Features,
    classes: Features,
    truth: Numbers,
    logit_scale: float,
    temperature: float = 1.0,
    rows: Numbers | None = None,
) -> Judged:
    """The best name at each rank with its summed probability, and whether it is right, for all photos or some `rows`.

    Probabilities are softmax(logit_scale × cosine / temperature) over the tree's taxa. There must be a photo.
    """
    asked = np.arange(len(images)) if rows is None else rows
    parts = (asked[start : start + _AT_ONCE] for start in range(0, len(asked), _AT_ONCE))
    found = ((_block(truth[part]), _Logits(logit_scale * (images[part] @ classes.T))) for part in parts)
    return judged(tree, found, temperature)


def heights(tree: RankTree, ones: Numbers, others: Numbers) -> Numbers:
    """The height of the lowest common ancestor of pairs of the tree's taxa: int64 [n], from 0 to 7.

    0 is the same species, 1 the same genus, 6 the same kingdom, 7 nothing in common.
    """
    found = np.full(len(ones), len(RANKS), dtype=np.int64)
    for place, rank in enumerate(RANKS):
        groups = tree.groups(rank)
        shared = (groups[ones] == groups[others]) & tree.is_named(rank)[groups[ones]]
        found[shared] = len(RANKS) - 1 - place
    return found


def _parts(images: Features, classes: Features) -> Iterator[Logits]:
    """Cosines of some photos at a time."""
    for start in range(0, len(images), _AT_ONCE):
        yield images[start : start + _AT_ONCE] @ classes.T


class _Logits:
    """Logits as a method of identification has them."""

    def __init__(self, logits: Logits) -> None:
        self.evidence: Neighbours | None = None
        self._logits = logits

    def probabilities(self, rows: slice, temperature: float) -> npt.NDArray[np.float32]:
        return softmax(self._logits[rows], temperature)


def _block(truth: Numbers) -> Block:
    """Photos of which only the taxon is told."""
    count = len(truth)
    keys = np.full(count, NO_SPECIMEN, dtype=np.uint64)
    return Block(
        np.empty((count, 0), np.float32), truth.astype(np.int32), keys, keys, np.full(count, "", dtype=np.str_)
    )


def _shares(right: npt.NDArray[np.bool_], told: npt.NDArray[np.bool_]) -> dict[Rank, float]:
    """By rank; a rank that no photo's taxon has is left out."""
    return {
        rank: float(right[told[:, place], place].mean()) for place, rank in enumerate(RANKS) if told[:, place].any()
    }
