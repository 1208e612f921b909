"""The vectors of a query's parts: from the catalogue and the cache where they are there, else from the model."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

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
from bioclip_search.schema import KEY
from bioclip_search.sources import decode, read_source
from bioclip_search.storage import quoted
from bioclip_search.taxonomy import RANKS, Rank, Taxon, TextType
from bioclip_search.text import printable
from bioclip_search.text_features import TextFeatures, TextKind
from bioclip_search.vectors import unit

__all__ = ["PartVector", "PartVectors"]

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PartVector:
    """A part as a unit vector float32 [dim]. `keys` are photo ids that are the part itself, `content` its hash;
    `names` are the determinations that its words stand for; `is_prose` says that they are no name."""

    part: Part
    vector: Vector
    keys: frozenset[str] = frozenset()
    content: str | None = None
    names: Names = ()
    is_prose: bool = False


@dataclass(frozen=True, slots=True)
class _Text:
    """Words as the model is given them, and the determinations that they stand for."""

    words: str
    kind: TextKind
    names: Names = ()
    is_prose: bool = False


class PartVectors:
    """Makes vectors of parts for one catalogue; `load` is called at most when something must be embedded.

    With `for_text` they are those of the catalogue's model for texts; raises QueryError where it has none.
    """

    def __init__(self, catalogue: Catalogue, load: Callable[[], Embedder], *, for_text: bool = False) -> None:
        self._catalogue = catalogue
        self._load = load
        self._for_text = for_text
        fingerprint = catalogue.for_text.require() if for_text else catalogue.fingerprint
        self._texts = TextFeatures(fingerprint, self._ready)
        self._photos: dict[PhotoPart, PartVector | QueryError] = {}

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
        owner = self._catalogue.for_text if self._for_text else self._catalogue
        owner.require_model(model.fingerprint)
        return model

    def prepare(self, parts: Sequence[Part]) -> None:
        """Embed at once what parts will need; photos that cannot be used are told of when they are asked for."""
        texts = [self._text(part) for part in parts if isinstance(part, TextPart)]
        for kind in TextKind:
            self._texts.of([text.words for text in texts if text.kind is kind], kind)
        self._embed_photos([part for part in parts if isinstance(part, PhotoPart)])

    # Texts

    def _of_text(self, part: TextPart) -> PartVector:
        text = self._text(part)
        vector = self._texts.of([text.words], text.kind)[0]
        return PartVector(part, vector, names=text.names, is_prose=text.is_prose)

    def _text(self, part: TextPart) -> "_Text":
        """How words are put to the model."""
        if part.literal:
            return _Text(part.words, TextKind.SENTENCE)
        names = names_meant(self._catalogue, part.words, self._catalogue.names())
        if self._for_text:
            # A general model knows a name at most as a word among others.
            return _Text(caption(part.words), TextKind.SENTENCE, names)
        if names:
            return _Text(self._taxon(names).text(TextType.TAXONOMIC_COMMON) or part.words, TextKind.NAME, names)
        if _is_scientific(part.words):
            return _Text(part.words, TextKind.NAME)
        return _Text(caption(part.words), TextKind.SENTENCE, is_prose=True)

    def _taxon(self, names: Names) -> Taxon:
        """The taxon of a name with the ranks above it, as a photo that carries the name has them."""
        column, _ = names[0]
        (photo,) = self._catalogue.photos(Filter(taxa=(names[:1],), include_missing=True).sql, limit=1)
        taxon = photo.specimen.taxon
        return taxon if column in ("vernacularName", RANKS[-1]) else taxon.cut_at(Rank(column))

    # Photos

    def _of_photo(self, part: PhotoPart) -> PartVector:
        if part not in self._photos:
            self._embed_photos([part])
        found = self._photos.pop(part)
        if isinstance(found, QueryError):
            raise found
        return found

    def _embed_photos(self, parts: Sequence[PhotoPart]) -> None:
        """Find or make the vectors of photos; where that fails the error is kept in their place."""
        to_embed: list[tuple[PhotoPart, str | None, Image.Image]] = []
        for part in dict.fromkeys(parts):
            try:
                photo = read_source(part.source)
                content = content_hash(photo.data) if part.region is None else None
                vector = self._stored(content) if content else None
                if vector is not None:
                    self._photos[part] = PartVector(part, unit(vector), content=content)
                else:
                    size = self._ready().preprocessing.size
                    to_embed.append((part, content, decode(photo, size, part.region)))
            except QueryError as error:
                self._photos[part] = error
        if to_embed:
            features = self._ready().encode_images([image for _, _, image in to_embed])
            for (part, content, _), vector in zip(to_embed, features, strict=True):
                self._photos[part] = PartVector(part, vector, content=content)

    def _stored(self, content: str) -> Vector | None:
        return self._catalogue.embedding_of_content(content, for_text=self._for_text)

    # Photos of the catalogue

    def _of_like(self, part: LikePart) -> PartVector:
        called = _called(self._catalogue, part.name)
        found = self._catalogue.embeddings(called, for_text=self._for_text)
        if not found and self._for_text and self._catalogue.count(called):
            raise QueryError(
                f"The model for texts has not embedded {printable(part.name)} yet; "
                "`bioclip-search index` does it with the next run."
            )
        if not found:
            raise QueryError(
                f"No photo of the catalogue has the catalogue number, occurrenceID or path {printable(part.name)}; "
                "a photo that is not in the catalogue is given as image."
            )
        return PartVector(part, unit(np.stack(list(found.values())).sum(axis=0)), keys=frozenset(found))


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
