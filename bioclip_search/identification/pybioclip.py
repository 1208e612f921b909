"""What pybioclip prints, and how it sees a photo: the same columns, pixels and sums.

pybioclip 2.1: https://github.com/Imageomics/pybioclip (predict.py).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bioclip_search.embedder import Features
from bioclip_search.identification.identify import Settings
from bioclip_search.identification.method import Method
from bioclip_search.identification.ranks import RankTree
from bioclip_search.identification.subjects import Subjects
from bioclip_search.taxonomy import RANKS, Rank, Taxon

__all__ = ["LABEL_COLUMNS", "pixels", "predictions", "rank_columns"]

LABEL_COLUMNS = ("file_name", "classification", "score")

# Less probable taxa are left out of the sums of a rank above the species.
_LEAST = 1e-9


def rank_columns(rank: Rank) -> tuple[str, ...]:
    """The columns of predictions at a rank."""
    ranks = [wider.value for wider in RANKS[: RANKS.index(rank) + 1]]
    if rank is Rank.SPECIES:
        ranks[-1:] = ["species_epithet", "species", "common_name"]
    return ("file_name", *ranks, "score")


def predictions(method: Method, batches: Iterable[Subjects], settings: Settings) -> Iterator[dict[str, Any]]:
    """The rows that pybioclip prints for photos: the most probable taxa at the rank, best first."""
    tree = RankTree(method.taxa)
    for subjects in batches:
        scores = method.score(subjects.block)
        for at, subject in enumerate(subjects.photos):
            probabilities = scores.probabilities(slice(at, at + 1), settings.temperature)[0]
            yield from _rows(subject.name, tree, probabilities, settings.rank, settings.limit)


def _rows(
    file_name: str, tree: RankTree, probabilities: npt.NDArray[np.float32], rank: Rank, limit: int
) -> Iterator[dict[str, Any]]:
    """Species are taxa one by one; at a wider rank those of a lineage are summed."""
    if rank is Rank.SPECIES:
        for row in _top(probabilities, limit):
            yield _row(file_name, tree.taxa[row], rank, float(probabilities[row]))
        return
    counted = np.where(probabilities > _LEAST, probabilities, 0).astype(np.float64)
    groups = tree.groups(rank)
    sums = np.bincount(groups, weights=counted)
    for group in _top(sums, limit):
        if sums[group] > 0:
            member = int(tree.members(rank, group)[0])
            yield _row(file_name, tree.taxa[member].cut_at(rank), rank, float(sums[group]))


def pixels(image: Image.Image, size: int) -> Features:
    """An RGB picture squashed as pybioclip does it: float32 [size, size, 3], 0 to 255, not rounded.

    Bilinear with antialiasing, on floating-point numbers; our own squash is bicubic, and rounds.
    """
    import torch

    tensor = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).permute(2, 0, 1)[None]
    if tensor.shape[2:] != (size, size):
        tensor = torch.nn.functional.interpolate(
            tensor, (size, size), mode="bilinear", antialias=True, align_corners=False
        )
    squashed: Features = (tensor[0].permute(1, 2, 0) * 255).numpy()
    return squashed


def _top(values: npt.NDArray[Any], limit: int) -> list[int]:
    limit = min(limit, len(values))
    top = np.argpartition(-values, limit - 1)[:limit]
    return [int(place) for place in top[np.lexsort((top, -values[top]))]]


def _row(file_name: str, taxon: Taxon, rank: Rank, score: float) -> dict[str, Any]:
    row: dict[str, Any] = {"file_name": file_name, "score": score}
    row |= {known.value: taxon.name_at(known) or "" for known in RANKS[: RANKS.index(rank) + 1]}
    if rank is Rank.SPECIES:
        row |= {"species_epithet": taxon.specific_epithet or "", "common_name": taxon.common_name or ""}
    return row
