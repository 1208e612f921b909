"""The vectors of a query's parts: from the catalogue and the cache where they are there, else from the model."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import QueryError
from bioclip_search.filters import Filter, Names
from bioclip_search.names import NameKind, parse_name
from bioclip_search.paths import is_below, is_unicode
from bioclip_search.photo import content_hash
from bioclip_search.prompts import caption
from bioclip_search.query.taxa import names_meant
from bioclip_search.query.value import LikePart, Part, PhotoPart, TextPart
from bioclip_search.region import Region
from bioclip_search.schema import KEY
from bioclip_search.sources import QueryPhoto, decode, read_source
from bioclip_search.storage import quoted
from bioclip_search.taxonomy import RANKS, Rank, Taxon, TextType
from bioclip_search.text import printable
from bioclip_search.text_features import TextFeatures, TextKind

__all__ = ["PartVector", "PartVectors"]

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PartVector:
    """A part as a unit vector float32 [dim]. `keys` are photo ids that are the part itself, `content` its hash;
    `names` are the determinations that its words stand for."""

    part: Part
    vector: Vector
    keys: frozenset[str] = frozenset()
    content: str | None = None
    names: Names = ()


class PartVectors:
    """Makes vectors of parts for one catalogue; `load` is called at most when something must be embedded."""

    def __init__(self, catalogue: Catalogue, load: Callable[[], Embedder]) -> None:
        self._catalogue = catalogue
        self._load = load
        self._texts = TextFeatures(catalogue.fingerprint, self._ready)

    def of(self, part: Part) -> PartVector:
        """Raises QueryError for a photo that cannot be used, what loading raises, and ModelMismatch."""
        match part:
            case TextPart():
                return self._of_text(part)
            case PhotoPart():
                return self._of_photo(part)
            case LikePart():
                return self._of_like(part)

    def _ready(self) -> Embedder:
        model = self._load()
        self._catalogue.require_model(model.fingerprint)
        return model

    # Texts

    def _of_text(self, part: TextPart) -> PartVector:
        if part.literal:
            return PartVector(part, self._texts.of([part.words], TextKind.SENTENCE)[0])
        names = names_meant(self._catalogue, part.words, self._catalogue.names())
        if names:
            text = self._taxon(names).text(TextType.TAXONOMIC_COMMON) or part.words
            return PartVector(part, self._texts.of([text], TextKind.NAME)[0], names=names)
        if _is_scientific(part.words):
            return PartVector(part, self._texts.of([part.words], TextKind.NAME)[0])
        return PartVector(part, self._texts.of([caption(part.words)], TextKind.SENTENCE)[0])

    def _taxon(self, names: Names) -> Taxon:
        """The taxon of a name with the ranks above it, as a photo that carries the name has them."""
        column, _ = names[0]
        (photo,) = self._catalogue.photos(Filter(taxa=(names[:1],), include_missing=True).sql, limit=1)
        taxon = photo.specimen.taxon
        return taxon if column in ("vernacularName", RANKS[-1]) else taxon.cut_at(Rank(column))

    # Photos

    def _of_photo(self, part: PhotoPart) -> PartVector:
        photo = read_source(part.source)
        if part.region is not None:
            return PartVector(part, self._embedded(photo, part.region))
        content = content_hash(photo.data)
        vector = self._catalogue.embedding_of_content(content)
        if vector is None:
            vector = self._embedded(photo, None)
        return PartVector(part, _unit(vector), content=content)

    def _embedded(self, photo: QueryPhoto, region: Region | None) -> Vector:
        model = self._ready()
        vector: Vector = model.encode_images([decode(photo, model.preprocessing.size, region)])[0]
        return vector

    # Photos of the catalogue

    def _of_like(self, part: LikePart) -> PartVector:
        found = self._catalogue.embeddings(_called(self._catalogue, part.name))
        if not found:
            raise QueryError(
                f"No photo of the catalogue has the catalogue number, occurrenceID or path {printable(part.name)}; "
                "for a photo that is not in the catalogue use --image."
            )
        return PartVector(part, _unit(np.stack(list(found.values())).sum(axis=0)), keys=frozenset(found))


def _called(catalogue: Catalogue, name: str) -> str:
    """SQL: a photo is called so."""
    if not is_unicode(name):
        return "false"
    columns = ["catalogNumber", "occurrenceID", "path", KEY]
    conditions = [f"`{column}` = {quoted(name)}" for column in columns]
    file = os.path.abspath(name)
    for root in catalogue.roots() if Path(name).name != name else []:
        if is_below(file, [root]):
            path = os.path.relpath(file, root).replace(os.sep, "/")
            conditions.append(f"(root = {quoted(root)} AND path = {quoted(path)})")
    return " OR ".join(conditions)


def _is_scientific(words: str) -> bool:
    """Whether words are written as the name of a species or subspecies is: “Danaus plexippus”."""
    parsed = parse_name(words)
    return parsed.kind is NameKind.SCIENTIFIC and words[:1].isupper() and parsed.species is not None


def _unit(vector: Vector) -> Vector:
    unit: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit
