"""Ask the catalogue: by words, by a photo, by both, within a taxon.

Nothing here imports torch: the embedder is asked for only when a text or a photo that is not
in the catalogue must be embedded.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.backbone import MatchType
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import PhotoError, QueryError, UnknownTaxon
from bioclip_search.photo import content_hash, open_photo, read_photo
from bioclip_search.placement import open_backbone
from bioclip_search.prompts import caption
from bioclip_search.schema import PRESENT
from bioclip_search.specimen import Photo
from bioclip_search.storage import quoted
from bioclip_search.taxonomy import Rank
from bioclip_search.text import clean, printable

__all__ = ["Hit", "Query", "TaxonFilter", "resolve_taxon", "search"]

Vector = npt.NDArray[np.float32]

_NO_DIRECTION = 1e-6


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; at least one of text, photo and taxon.

    Text and photo are weighted and added as unit vectors. Without either, the photos of the
    taxon are listed. Photos whose files are missing are left out unless `include_missing`.
    Raises QueryError for a query that cannot be asked.
    """

    text: str | None = None
    photo: Path | None = None
    text_weight: float = 1.0
    photo_weight: float = 1.0
    taxon: str | None = None
    limit: int = 10
    include_missing: bool = False

    def __post_init__(self) -> None:
        if self.taxon is not None and clean(self.taxon) is None:
            raise QueryError("The name after --taxon is empty; give a name of any rank, or leave --taxon out.")
        object.__setattr__(self, "text", clean(self.text))
        object.__setattr__(self, "taxon", clean(self.taxon))
        if not (math.isfinite(self.text_weight) and math.isfinite(self.photo_weight)):
            raise QueryError("A weight must be a finite number.")
        if self.text is None and self.photo is None and self.taxon is None:
            raise QueryError("There is nothing to look for: give words, --image PHOTO or --taxon NAME.")
        if self.limit < 1:
            raise QueryError("The number of hits (-k) must be at least 1.")


@dataclass(frozen=True, slots=True)
class Hit:
    """A photo that was found; `score` is the cosine to the query, None in a plain list of a taxon."""

    photo: Photo
    score: float | None


@dataclass(frozen=True, slots=True)
class TaxonFilter:
    """The columns in which a name stands, as it is spelt there."""

    names: tuple[tuple[str, str], ...]

    @property
    def condition(self) -> str:
        """SQL that selects the photos of the taxon."""
        return " OR ".join(f"`{column}` = {quoted(name)}" for column, name in self.names)


def search(catalogue: Catalogue, query: Query, embedder: Callable[[], Embedder]) -> list[Hit]:
    """Answer a query, best hit first. Exact: every photo of the taxon is compared.

    `embedder` is called only when something must be embedded; its model must be the catalogue's
    (ModelMismatch). Raises UnknownTaxon, or QueryError for a photo that cannot be read.
    """
    conditions = [] if query.include_missing else [PRESENT]
    if query.taxon:
        conditions.append(resolve_taxon(catalogue, query.taxon, include_missing=query.include_missing).condition)
    where = " AND ".join(f"({condition})" for condition in conditions) or None
    if query.text is None and query.photo is None:
        photos = sorted(catalogue.photos(where), key=lambda photo: (photo.root, photo.path))
        return [Hit(photo, None) for photo in photos[: query.limit]]
    own_hash, vector = _query_vector(catalogue, query, embedder)
    ranked = catalogue.nearest(vector, query.limit, where)
    # Equal scores are common (copies of a file): the query's own content first, then by name.
    ranked.sort(key=lambda hit: (-round(hit[1], 6), hit[0].content_hash != own_hash, hit[0].root, hit[0].path))
    return [Hit(photo, score) for photo, score in ranked]


def _query_vector(catalogue: Catalogue, query: Query, embedder: Callable[[], Embedder]) -> tuple[str | None, Vector]:
    """The content hash of the query's photo, if any, and the sum of the weighted unit vectors."""
    own_hash = None
    parts: list[Vector] = []
    if query.photo is not None:
        own_hash, vector = _photo_vector(catalogue, query.photo, embedder)
        parts.append(query.photo_weight * vector)
    if query.text is not None:
        parts.append(query.text_weight * _ready(catalogue, embedder).encode_texts([caption(query.text)])[0])
    total: Vector = np.stack(parts).sum(axis=0)
    if float(np.linalg.norm(total)) < _NO_DIRECTION:
        raise QueryError("The weights of words and photo cancel each other; give at least one a weight above 0.")
    return own_hash, total


def _photo_vector(catalogue: Catalogue, photo: Path, embedder: Callable[[], Embedder]) -> tuple[str, Vector]:
    """Content hash and embedding of a photo, which is taken from the catalogue where it is there."""
    try:
        data = read_photo(photo)
        digest = content_hash(data)
        vector = catalogue.embedding_of_content(digest)
        if vector is None:
            model = _ready(catalogue, embedder)
            vector = model.encode_images([open_photo(data, model.preprocessing.size, photo.name).image])[0]
    except PhotoError as error:
        shown = printable(str(photo))
        raise QueryError(f"The photo {shown} cannot be searched with ({error}); name another with --image.") from error
    return digest, vector


def _ready(catalogue: Catalogue, embedder: Callable[[], Embedder]) -> Embedder:
    model = embedder()
    catalogue.require_model(model.fingerprint)
    return model


def resolve_taxon(catalogue: Catalogue, name: str, *, include_missing: bool = False) -> TaxonFilter:
    """Find a name at any rank, or as a common name, in any case; several where it is spelt in several ways.

    What the catalogue does not name so may be a synonym or a common name in the taxonomy in use.

    Raises UnknownTaxon with near names when no photo carries it.
    """
    wanted = (clean(name) or "").casefold()
    present = _names_present(catalogue, include_missing=include_missing)
    found = tuple((column, spelt) for column, spelt in present if spelt.casefold() == wanted)
    found = found or _through_backbone(catalogue, name, present)
    if not found:
        raise UnknownTaxon(name, _near(name, (spelt for _, spelt in present)))
    return TaxonFilter(found)


def _through_backbone(
    catalogue: Catalogue, name: str, present: Iterable[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The columns of the accepted taxa that a synonym or a common name stands for in the taxonomy in use."""
    backbone = open_backbone(catalogue.folder)
    if backbone is None:
        return ()
    with backbone:
        match = backbone.match(name)
        meant = [match] if match and match.match_type is MatchType.SYNONYM else backbone.by_common_name(name)
    wanted = {
        (taxon.rank.value, taxon.scientific_name.casefold())
        for taxon in (found.taxon for found in meant)
        if taxon.rank and taxon.scientific_name
    }
    return tuple((column, spelt) for column, spelt in present if (column, spelt.casefold()) in wanted)


def _names_present(catalogue: Catalogue, *, include_missing: bool) -> list[tuple[str, str]]:
    taxa = [count.taxon for count in catalogue.taxa(include_missing=include_missing)]
    names = {(rank.value, name) for taxon in taxa for rank, name in taxon.lineage}
    names |= {("vernacularName", taxon.common_name) for taxon in taxa if taxon.common_name}
    order = {column: place for place, column in enumerate([*(rank.value for rank in Rank), "vernacularName"])}
    return sorted(names, key=lambda item: (order[item[0]], item[1]))


def _near(name: str, names: Iterable[str]) -> list[str]:
    from rapidfuzz import fuzz, process, utils

    found = process.extract(
        name, set(names), scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=70, limit=3
    )
    return [spelt for spelt, _, _ in sorted(found, key=lambda match: (-match[1], match[0]))]
