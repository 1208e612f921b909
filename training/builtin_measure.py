"""What the built-in model can do: on unseen specimens of its species, and on species it has never seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Embedder, Features
from bioclip_search.photo import open_photo
from bioclip_search.taxonomy import Rank, Taxon, TextType
from training.evaluation.by_rank import ByRank, by_rank, rank_tree
from training.evaluation.few_shot import FewShot, few_shot
from training.evaluation.photos import of_shards
from training.evaluation.zero_shot import ZeroShot, text_labels, zero_shot

__all__ = ["Measured", "measure"]

_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Measured:
    """Zero-shot by type of text and by rank on the split val; few-shot by shots on the split unseen.

    `with_unseen` is zero-shot on val by scientific names when those of the unseen species may be answered too;
    `unseen` the accuracy by rank on photos of the latter, among the same names.
    """

    zero_shot: Mapping[TextType, ZeroShot]
    by_rank: Mapping[TextType, ByRank]
    with_unseen: ZeroShot
    few_shot: Mapping[int, FewShot]
    unseen: Mapping[Rank, float]


def measure(model: Path, shards: Path, index: Path) -> Measured:
    """Measure a model folder as `--model` loads it, in float32 on the CPU."""
    embedder = Embedder.load(str(model), device="cpu", dtype="float32")
    images, taxa, truth = _embedded(embedder, shards, "val", index)
    others, unseen, other_truth = _embedded(embedder, shards, "unseen", index)
    by_text, ranks = {}, {}
    for kind in TextType:
        labels = text_labels(taxa, kind)
        classes = embedder.encode_names(labels.texts)
        by_text[kind] = zero_shot(images, classes, labels.of_taxon[truth])
        ranks[kind] = by_rank(rank_tree(taxa), images, classes[labels.of_taxon], truth, embedder.logit_scale)
    both = [*taxa, *unseen]
    labels = text_labels(both, TextType.SCIENTIFIC)
    classes = embedder.encode_names(labels.texts)
    tree = rank_tree(both)
    of_others = by_rank(tree, others, classes[labels.of_taxon], other_truth + len(taxa), embedder.logit_scale)
    shots = {count: few_shot(others, other_truth, count) for count in (1, 5)}
    return Measured(
        zero_shot=by_text,
        by_rank=ranks,
        with_unseen=zero_shot(images, classes, labels.of_taxon[truth]),
        few_shot={count: found for count, found in shots.items() if found is not None},
        unseen=of_others.of_best,
    )


def _embedded(
    embedder: Embedder, shards: Path, split: str, index: Path
) -> tuple[Features, list[Taxon], npt.NDArray[np.int64]]:
    """Features [n, dim] of a split's photos, its distinct taxa, and the photos' numbers among these."""
    photos = of_shards(shards, split, index, lambda _: None).photos
    numbers: dict[Taxon, int] = {}
    truth = np.array([numbers.setdefault(photo.taxon, len(numbers)) for photo in photos], dtype=np.int64)
    parts = [photos[start : start + _AT_ONCE] for start in range(0, len(photos), _AT_ONCE)]
    size = embedder.preprocessing.size
    images = np.concatenate(
        [embedder.encode_images([open_photo(photo.read(), size).image for photo in part]) for part in parts]
    )
    return images, list(numbers), truth
