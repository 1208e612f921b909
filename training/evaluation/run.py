"""One evaluation: features of all photos by the model and its baselines, and every figure from them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Embedder, Features
from bioclip_search.errors import UsageError
from bioclip_search.fingerprint import without_place
from bioclip_search.prompts import caption
from bioclip_search.taxonomy import RANKS, Rank, Taxon, TextType
from bioclip_search.text_features import TextFeatures, TextKind
from training.evaluation.arrays import directions, selected
from training.evaluation.by_rank import ByRank, by_rank, neighbours_by_rank
from training.evaluation.encoders import ModelEncoder, baseline
from training.evaluation.features import features_of, is_readable
from training.evaluation.few_shot import FewShot, few_shot
from training.evaluation.hierarchy import Agreement, Projection, agreement, centroids_of, project
from training.evaluation.inquire import Query, relevant_photos
from training.evaluation.photos import Photos
from training.evaluation.retrieval import Found, Retrieval, found_by_photos, found_by_texts, retrieval
from training.evaluation.subjects import NO_SPECIES, Subjects, subjects_of
from training.evaluation.trust import Trust, trust
from training.evaluation.zero_shot import ZeroShot, text_labels, zero_shot
from training.metrics import Progress

__all__ = ["ByImages", "ByTexts", "Evaluation", "Options", "Picture", "evaluate"]

CACHE = "features"
ALL = "all"
_MOST_PICTURED = 2_000
_SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked: types of text (the first is the main one), shots, folds, species, baselines, queries."""

    text_types: tuple[TextType, ...] = (TextType.TAXONOMIC_COMMON,)
    shots: tuple[int, ...] = (1, 5)
    folds: int = 5
    seed: int = 0
    only: frozenset[str] | None = None
    baselines: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class ByImages:
    """What features of photos alone tell; `few_shot` by shots, None where too few specimens are there.

    `neighbours` is the share of photos whose most similar other photo has the same taxon, by rank, and `asked` the
    number of photos that it is of.
    """

    few_shot: Mapping[int, FewShot | None]
    retrieval: Retrieval | None
    neighbours: Mapping[Rank, float]
    asked: Mapping[Rank, int]
    hierarchy: Agreement


@dataclass(frozen=True, slots=True)
class ByTexts:
    """What photos and texts together tell; `zero_shot` by type of text, the rest with the first of the types."""

    zero_shot: Mapping[TextType, ZeroShot]
    by_rank: ByRank
    trust: Trust
    retrieval: Retrieval | None
    hierarchy: Agreement


@dataclass(frozen=True, slots=True)
class Picture:
    """Centroids of species' photos, and texts of taxa at all ranks, each in two dimensions, with their taxa."""

    images: Projection
    image_taxa: tuple[Taxon, ...]
    texts: Projection
    text_taxa: tuple[Taxon, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was measured, by the model in `numbers` of a kind (float32, bfloat16).

    `images` has the model first, then the baselines, by name.

    `queries` are the means of INQUIRE's kind, over all queries and by group; `unanswered` queries have no photo here.
    """

    model: str
    numbers: str
    source: str
    photos: int
    species: int
    without_species: int
    unreadable: int
    left_out: Mapping[str, int]
    options: Options
    images: Mapping[str, ByImages]
    texts: ByTexts
    queries: Mapping[str, Retrieval]
    unanswered: int
    picture: Picture


def evaluate(
    photos: Photos, model: Embedder, name: str, options: Options, folder: Path, progress: Progress
) -> Evaluation:
    """Measure a model, and its baselines on the same photos; features are kept in `folder`/features.

    What is told names folders without their place: results are made to be given away.
    Raises UsageError for photos or baselines that cannot be used, and what reading and encoding raise.
    """
    name = without_place(name)
    encoders = [ModelEncoder(model, name), *(baseline(one, options.seed, model.device) for one in options.baselines)]
    asked, kept = subjects_of(photos.photos, options.only)
    cache = folder / CACHE
    features = {encoder.name: features_of(encoder, photos, cache, progress) for encoder in encoders}
    readable = np.logical_and.reduce([is_readable(one)[kept] for one in features.values()])
    subjects, rows = asked.take(readable), np.flatnonzero(kept)[readable]
    known = subjects.species != NO_SPECIES
    if not known.any():
        raise UsageError("No photo that is determined to a species can be read; check --photos and the records.")
    determined = subjects.take(known)
    texts = _Texts(TextFeatures(model.fingerprint, lambda: model, dtype=str(model.dtype)), progress)
    progress.say("comparing")
    answered, unanswered = _queries(options.queries, subjects, features[name], rows, texts, cache)
    images = {encoder: selected(one, rows[known], cache) for encoder, one in features.items()}
    return Evaluation(
        model=str(model.fingerprint.without_place()),
        numbers=str(model.dtype).removeprefix("torch."),
        source=photos.label,
        photos=len(determined.names),
        species=len(determined.tree.taxa),
        without_species=int((~known).sum()),
        unreadable=int((~readable).sum()),
        left_out=dict(photos.left_out),
        options=options,
        images={encoder: _by_images(determined, one, options, cache) for encoder, one in images.items()},
        texts=_by_texts(determined, images[name], texts, model.logit_scale, options),
        queries=answered,
        unanswered=unanswered,
        picture=_picture(determined, images[name], texts, options),
    )


class _Texts:
    """Features of texts, which may take minutes: it is told how many are done."""

    def __init__(self, features: TextFeatures, progress: Progress) -> None:
        self._features = features
        self._progress = progress

    def of(self, texts: Sequence[str], kind: TextKind) -> Features:
        """Unit-length float32 [n, dim]."""
        total, done, said = len(set(texts)), 0, time.monotonic()

        def tell(more: int) -> None:
            nonlocal done, said
            done += more
            if time.monotonic() - said > _SECONDS_BETWEEN_LINES:
                said = time.monotonic()
                self._progress.say(f"{done:,} of {total:,} texts")

        return self._features.of(texts, kind, tell)


def _by_images(subjects: Subjects, features: Features, options: Options, cache: Path) -> ByImages:
    """Few-shot takes features as they are; all that compares directions takes unit length."""
    rays = directions(features, cache)
    shots = {
        k: few_shot(features, subjects.species, k, folds=options.folds, seed=options.seed, specimens=subjects.specimens)
        for k in options.shots
    }
    found = found_by_photos(rays, subjects.species, subjects.specimens, options.seed)
    neighbours, asked = neighbours_by_rank(subjects.tree, rays, subjects.species, subjects.specimens)
    centroids, species = centroids_of(rays, subjects.species, len(subjects.tree.taxa))
    order = agreement(subjects.tree, centroids, species, options.seed)
    return ByImages(shots, retrieval(found), neighbours, asked, order)


def _by_texts(subjects: Subjects, images: Features, texts: "_Texts", logit_scale: float, options: Options) -> ByTexts:
    shares = {}
    for kind in options.text_types:
        labels = text_labels(subjects.taxa, kind)
        shares[kind] = zero_shot(images, texts.of(labels.texts, TextKind.NAME), labels.of_taxon[subjects.species])
    names = [taxon.text(options.text_types[0]) or "" for taxon in subjects.taxa]
    classes = texts.of(names, TextKind.NAME)
    truth = subjects.species
    meant = (truth == species for species in range(len(classes)))
    return ByTexts(
        zero_shot=shares,
        by_rank=by_rank(subjects.tree, images, classes, truth, logit_scale),
        trust=trust(subjects.tree, images, classes, truth, logit_scale, subjects.specimens, options.seed),
        retrieval=retrieval(found_by_texts(classes, images, meant)),
        hierarchy=agreement(subjects.tree, classes, np.arange(len(classes)), options.seed),
    )


def _queries(
    queries: Sequence[Query],
    subjects: Subjects,
    features: Features,
    rows: npt.NDArray[np.int64],
    texts: "_Texts",
    cache: Path,
) -> tuple[dict[str, Retrieval], int]:
    """Figures over all queries and over each group of them; and how many have no photo here that answers them."""
    if not queries:
        return {}, 0
    vectors = texts.of([query.text for query in queries], TextKind.SENTENCE)
    found = found_by_texts(vectors, selected(features, rows, cache), relevant_photos(queries, subjects.names))
    groups = [query.group for query in queries]
    members: dict[str, npt.NDArray[np.bool_]] = {ALL: np.ones(len(queries), dtype=np.bool_)}
    members |= {name: np.asarray([group == name for group in groups]) for name in sorted({g for g in groups if g})}
    figures = {name: _figures(found, of_group) for name, of_group in members.items()}
    if figures[ALL] is None:
        raise UsageError("No photo here answers a query; the image paths of --relevant must be names of these photos.")
    return {name: one for name, one in figures.items() if one is not None}, int((found.relevant == 0).sum())


def _figures(found: Found, rows: npt.NDArray[np.bool_]) -> Retrieval | None:
    return retrieval(found.take(rows))


def _picture(subjects: Subjects, images: Features, texts: "_Texts", options: Options) -> Picture:
    """A part of many species, drawn by the seed, is pictured."""
    centroids, species = centroids_of(images, subjects.species, len(subjects.tree.taxa))
    rng = np.random.default_rng(options.seed)
    drawn = np.sort(rng.permutation(len(species))[:_MOST_PICTURED])
    image_taxa = tuple(subjects.tree.taxa[int(row)] for row in species[drawn])
    wider = dict.fromkeys(taxon.cut_at(rank) for rank in RANKS for taxon in image_taxa if taxon.name_at(rank))
    text_taxa = tuple(wider)[:_MOST_PICTURED]
    sentences = [caption(taxon.text(TextType.TAXONOMIC) or "") for taxon in text_taxa]
    vectors = texts.of(sentences, TextKind.SENTENCE)
    return Picture(project(centroids[drawn]), image_taxa, project(vectors), text_taxa)
