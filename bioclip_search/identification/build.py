"""A method made ready: its taxa chosen, their features or photos at hand."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bioclip_search.backbone import Backbone
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import RecordError, UsageError
from bioclip_search.identification.block import Block
from bioclip_search.identification.candidates import listed, part, read_taxa
from bioclip_search.identification.labels import Labels
from bioclip_search.identification.method import ByCentroids, ByNeighbours, ByText, Method, MethodName
from bioclip_search.identification.reference import Reference
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.identification.tree_of_life import TreeOfLifeTexts
from bioclip_search.identification.zero_shot import TextClasses
from bioclip_search.placement import open_backbone
from bioclip_search.text import printable
from bioclip_search.text_features import TextFeatures, TextKind

__all__ = ["Among", "Observer", "label_classes", "make_method", "sample"]

_SAMPLE = 2_000
_SAMPLE_CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class Among:
    """The taxa to choose from: those of `texts` (a TreeOfLife .npy), else of a list, else of the catalogue.

    `within` are names of any rank, of which a taxon must belong to one; a list beside `texts`, or beside
    a method that compares photos, restricts likewise. `neighbours` is how many of them vote.
    """

    within: tuple[str, ...] = ()
    taxa: Path | None = None
    texts: Path | None = None
    neighbours: int = 20


@dataclass(frozen=True, slots=True)
class Observer:
    """Who is told of names that no taxon bears, and of names that are embedded (how many in all, how many more).

    `warned` is given a sentence on what could not be checked.
    """

    unknown: Callable[[str], None]
    embedding: Callable[[int], None]
    embedded: Callable[[int], None]
    warned: Callable[[str], None]


def make_method(
    name: MethodName, catalogue: Catalogue | None, among: Among, load: Callable[[], Embedder], observer: Observer
) -> Method:
    """Make a method ready; `load` is called only where texts must be compared.

    Without a catalogue there must be a list or `texts`. Raises UnknownTaxon, RecordError, ModelMismatch, QueryError,
    or UsageError for what does not go together.
    """
    if name is not MethodName.ZERO_SHOT and among.texts is not None:
        raise UsageError(f"Text embeddings are compared zero-shot; leave them out, or the method {name}.")
    backbone = open_backbone(catalogue.folder) if catalogue else None
    with closing(backbone) if backbone else nullcontext():
        if name is MethodName.ZERO_SHOT:
            return _by_text(catalogue, among, load, observer, backbone)
        return _by_photos(name, catalogue, among, observer, backbone)


def _by_text(
    catalogue: Catalogue | None,
    among: Among,
    load: Callable[[], Embedder],
    observer: Observer,
    backbone: Backbone | None,
) -> Method:
    if among.texts is not None:
        return _by_texts_of(among.texts, among, load, observer, backbone)
    taxa = _taxa(catalogue, among, backbone)
    taxa = taxa.take(part(taxa, among.within, None, observer.unknown, backbone))
    return ByText(taxa, _classes(taxa.texts(), load, observer))


def _by_texts_of(
    file: Path, among: Among, load: Callable[[], Embedder], observer: Observer, backbone: Backbone | None
) -> Method:
    texts = TreeOfLifeTexts(file)
    wanted = read_taxa(among.taxa, texts.taxa, backbone) if among.taxa else None
    chosen = part(texts.taxa, among.within, wanted, observer.unknown, backbone)
    rows = chosen[texts.present[chosen]]
    shown = printable(str(file))
    if not len(rows):
        raise RecordError(f"{shown} holds nothing but zeros for the taxa asked for; choose among others.")
    model = load()
    texts.require_model(model.fingerprint)
    if texts.origin is None:
        observer.warned(
            f"{shown} does not say of which model it is, so only its dimensions were checked; its answers mean nothing "
            f"unless it was made with {printable(str(model.fingerprint))}."
        )
    return ByText(texts.taxa.take(rows), TextClasses(texts.blocks, len(texts.taxa), model.logit_scale, rows))


def _taxa(catalogue: Catalogue | None, among: Among, backbone: Backbone | None) -> TaxonTable:
    """The taxa of the list, which learn from the catalogue's; else the catalogue's."""
    has_taxa = catalogue is not None and any(found.taxon.rank for found in catalogue.taxa(include_missing=True))
    known = Reference(catalogue).taxa if catalogue and (has_taxa or not among.taxa) else TaxonTable.of([])
    return listed(read_taxa(among.taxa, known, backbone), known) if among.taxa else known


def _by_photos(
    name: MethodName, catalogue: Catalogue | None, among: Among, observer: Observer, backbone: Backbone | None
) -> Method:
    if catalogue is None:
        raise UsageError(f"The method {name} compares with photos of a catalogue; name one (--catalogue).")
    reference = Reference(catalogue)
    wanted = read_taxa(among.taxa, reference.taxa, backbone) if among.taxa else None
    reference.restrict(part(reference.taxa, among.within, wanted, observer.unknown, backbone))
    if name is MethodName.CENTROIDS:
        return ByCentroids(reference.taxa, reference.blocks)
    return ByNeighbours(reference.taxa, reference.blocks, among.neighbours)


def label_classes(labels: Labels, load: Callable[[], Embedder], observer: Observer) -> TextClasses:
    """Labels of one's own, ready to be compared."""
    return _classes(labels.labels, load, observer)


def _classes(texts: Sequence[str], load: Callable[[], Embedder], observer: Observer) -> TextClasses:
    model = load()
    observer.embedding(len(set(texts)))
    # In other numbers (bfloat16) features differ enough to be seen in a probability.
    kept = TextFeatures(model.fingerprint, load, dtype=str(model.dtype))
    features = kept.of(texts, TextKind.NAME, observer.embedded)
    columns = np.ascontiguousarray(features.T)
    return TextClasses(lambda: [columns], len(texts), model.logit_scale)


def sample(catalogue: Catalogue, method: Method) -> Iterator[Block]:
    """Determined photos to fit a temperature on, at most 2,000, spread evenly over the table.

    `method` chooses among all taxa of the catalogue: only then its rows and the photos' are the same.
    """
    reference = Reference(catalogue)
    most = max(1, min(_SAMPLE, _SAMPLE_CELLS // len(method.taxa)))
    total = reference.count()
    wanted = np.random.default_rng(0).permutation(total)[:most]
    seen = 0
    for block in reference.blocks():
        taken = np.flatnonzero(np.isin(np.arange(seen, seen + len(block)), wanted))
        seen += len(block)
        for start in range(0, len(taken), method.at_once):
            yield block.take(taken[start : start + method.at_once])
