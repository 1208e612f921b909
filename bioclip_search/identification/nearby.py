"""Identify one photo of the catalogue by its neighbours, which the index of embeddings finds.

The answer is that of ByNeighbours, which compares with every determined photo, in a fraction of the time.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from bioclip_search.branches import Branches
from bioclip_search.catalogue import Catalogue
from bioclip_search.content import ContentSet
from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter
from bioclip_search.identification.block import Block, specimen_key
from bioclip_search.identification.identify import Identification, Settings, identify
from bioclip_search.identification.method import ByNeighbours, MethodName
from bioclip_search.identification.reference import DETERMINED
from bioclip_search.identification.subjects import Subjects, from_catalogue
from bioclip_search.identification.suggestions import Run, Suggestion, suggested
from bioclip_search.identification.taxa import MISSING, TaxonTable
from bioclip_search.identification.temperatures import kept_temperature
from bioclip_search.schema import KEY, photo_from_row
from bioclip_search.storage import among
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.vector_search import Neighbour

__all__ = ["identify_nearby", "identify_now"]

_GROWS = 4
# A specimen with more photos than this is compared with fewer others.
_MOST = 640


def identify_nearby(catalogue: Catalogue, key: str, settings: Settings, neighbours: int = 20) -> Identification:
    """What the nearest determined photos say of the photo with this photo_id, other than its copies and other photos
    of its specimen.

    Raises QueryError where the photo is not in the catalogue, or has no determined neighbour.
    """
    subjects = next(from_catalogue(catalogue, among(KEY, [key]), 1), None)
    if subjects is None:
        raise QueryError("The photo is not in the catalogue any more.")
    near = _near(catalogue, subjects, neighbours)
    if not near:
        raise QueryError("No other specimen of the catalogue has a determination to compare with.")
    taxa, classes = _taxa(
        catalogue.branches(include_missing=True), [photo_from_row(one.row).specimen.taxon for one in near]
    )
    block = _block(near, classes)
    return next(identify(ByNeighbours(taxa, lambda: [block], neighbours), [subjects], settings))


def identify_now(catalogue: Catalogue, key: str, settings: Settings | None = None) -> Suggestion:
    """The same as a suggestion that can be kept, at the temperature that was fitted for the catalogue."""
    fingerprint = catalogue.fingerprint
    temperature = kept_temperature(catalogue.folder, MethodName.NEIGHBOURS, fingerprint) or 1.0
    asked = replace(settings or Settings(), temperature=temperature)
    run = Run(uuid.uuid4().hex, MethodName.NEIGHBOURS, fingerprint, temperature, datetime.now(UTC))
    return suggested(run, identify_nearby(catalogue, key, asked))


def _near(catalogue: Catalogue, subjects: Subjects, wanted: int) -> list[Neighbour]:
    """At least as many determined photos as are wanted that show another specimen, if there are so many."""
    # Mostly nearly all are determined: to say so of each would cost more than to pass over the others.
    filter_ = Filter(include_missing=True)
    count = 2 * wanted
    while True:
        found = catalogue.nearest(subjects.block.vectors[0], count, filter_)
        near = [one for one in found if any(one.row[rank.value] for rank in RANKS)]
        kin = {column for column, _ in subjects.block.kin(_block(near, [MISSING] * len(near)))} if near else set()
        if len(found) < count or len(near) - len(kin) >= wanted or count >= _MOST:
            return near if len(kin) < len(near) else []
        filter_ = Filter(conditions=(DETERMINED,), include_missing=True)
        count *= _GROWS


def _block(near: Sequence[Neighbour], classes: Sequence[int]) -> Block:
    rows = [one.row for one in near]
    return Block(
        np.stack([one.embedding for one in near]),
        np.asarray(classes, dtype=np.int32),
        np.asarray([ContentSet.key(row["content_hash"]) for row in rows], dtype=np.uint64),
        np.asarray([specimen_key(photo_from_row(row).specimen) for row in rows], dtype=np.uint64),
        np.asarray([row[KEY] for row in rows], dtype=np.str_),
    )


def _taxa(branches: Branches, taxa: Sequence[Taxon]) -> tuple[TaxonTable, list[int]]:
    """The taxa of photos, completed by what the others of the catalogue say, and the row of each photo's."""
    codes, names = branches.lineages
    first = np.cumsum([0, *(len(some) for some in names[:-1])], dtype=np.int32)
    numbers = np.where(codes == MISSING, MISSING, codes + first)
    whole = TaxonTable(numbers[:, :-1], numbers[:, -1], [name for some in names for name in some]).completed()
    rows_of = {taxon.tagged: branches.exactly(tuple(taxon.lineage)) for taxon in taxa}
    rows = np.unique(np.concatenate(list(rows_of.values())))
    rows = rows[np.argsort(-branches.counts[rows], kind="stable")]
    distinct, class_of = whole.take(rows).distinct()
    place = {row: int(number) for row, number in zip(rows.tolist(), class_of, strict=True)}
    return distinct, [place[int(rows_of[taxon.tagged][0])] for taxon in taxa]
