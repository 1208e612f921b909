"""Zero-shot and nearest-neighbour accuracy of a model on photos whose taxa are known.

Zero-shot as in BioCLIP (Stevens et al. 2024, section 5): every class name is put into the 80
templates of CLIP, the features are averaged, and the photo goes to the nearest.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Embedder, Features
from bioclip_search.taxonomy import RANKS, Taxon, TextType
from training.captions import Template

__all__ = ["class_features", "nearest_neighbour_accuracy", "rank_accuracy"]


def class_features(embedder: Embedder, names: Sequence[str], templates: Sequence[Template]) -> Features:
    """One unit vector a name, float32 [names, dim]: the mean over all templates."""
    features = embedder.encode_texts([template(name) for name in names for template in templates])
    means = features.reshape(len(names), len(templates), -1).mean(axis=1)
    result: Features = means / np.linalg.norm(means, axis=1, keepdims=True)
    return result


def rank_accuracy(
    embedder: Embedder,
    images: Features,
    truth: npt.NDArray[np.int64],
    taxa: Sequence[Taxon],
    kind: TextType,
    templates: Sequence[Template],
) -> dict[str, float]:
    """Zero-shot accuracy at every rank, from 0 to 1.

    `images` are features [n, dim], `truth` their taxa's numbers [n]. A guess is right at a rank when
    the guessed species and the true one have the same name there.
    """
    classes = class_features(embedder, [taxon.text(kind) or "" for taxon in taxa], templates)
    guesses = (images @ classes.T).argmax(axis=1)
    accuracy = {}
    for rank in RANKS:
        names = np.array([taxon.name_at(rank) or "" for taxon in taxa])
        accuracy[rank.value] = float((names[guesses] == names[truth]).mean())
    return accuracy


def nearest_neighbour_accuracy(images: Features, truth: npt.NDArray[np.int64]) -> float:
    """How often the most similar other photo shows the same species."""
    similarity = images @ images.T
    np.fill_diagonal(similarity, -2)
    return float((truth[similarity.argmax(axis=1)] == truth).mean())
