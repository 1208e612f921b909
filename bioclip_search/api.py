"""Search and identify from Python.

>>> import bioclip_search as bs
>>> catalogue = bs.open(folder)  # without a folder: the one that the command line uses
>>> len(catalogue)
6
>>> hits = catalogue.search(image=photo, taxon="Nymphalidae", limit=2)
>>> [(hit.specimen.catalog_number, round(hit.score, 2)) for hit in hits][0]
('CAT-000', 1.0)
>>> hits.to_arrow().column_names[:3]
['score', 'root', 'path']
>>> hits = catalogue.search(text=["monarch", ("label", -0.5)], where="catalogNumber != 'CAT-000'", by_specimen=True)
>>> {hit.taxon.species for hit in hits} == {"Danaus plexippus", "Pieris rapae"}
True
>>> [evidence.part for evidence in hits[0].why]
['monarch', 'label']
>>> len(catalogue.search(like="CAT-001", limit=10))
5
>>> (found,) = catalogue.identify(photo, method="neighbours", rank="family", confidence=1)
>>> found.answer.rank, found.answer.name  # the narrowest that is certain
(<Rank.KINGDOM: 'kingdom'>, 'Animalia')
>>> sorted(candidate.name for candidate in found.candidates)
['Nymphalidae', 'Pieridae']
"""

import logging
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bioclip_search.catalogue import Catalogue
from bioclip_search.config import catalogue_folder
from bioclip_search.errors import PhotoError, UsageError
from bioclip_search.loading import model_loader
from bioclip_search.query import Hits, LikePart, Part, PhotoPart, Query, Searcher, TextPart
from bioclip_search.region import Region
from bioclip_search.schema import PRESENT
from bioclip_search.taxonomy import Rank
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.identification import Among, Identification, MethodName, Settings

__all__ = ["OpenCatalogue", "open_catalogue"]

_log = logging.getLogger(__name__)

_Kind = TypeVar("_Kind", bound=StrEnum)

Words = str | tuple[str, float]
"""Words, a number or a name, perhaps with a weight."""

Source = str | Path | tuple[str | Path, float]
"""A picture's path or address, perhaps with a weight."""


class OpenCatalogue:
    """A catalogue to search in and to identify by; the model is loaded once, when it is first needed.

    `catalogue` is what it is read from, for all that is more than that.
    """

    def __init__(
        self, catalogue: Catalogue, model: str | None, model_for_text: str | None, device: str, dtype: str
    ) -> None:
        self.catalogue = catalogue
        self._load = model_loader(catalogue, model, device=device, dtype=dtype)
        self._searcher = Searcher(
            catalogue,
            self._load,
            model_loader(catalogue, model_for_text, for_text=True, device=device, dtype=dtype),
        )

    def __len__(self) -> int:
        """The number of photos, missing ones too."""
        return self.catalogue.count()

    def search(
        self,
        text: Words | Iterable[Words] | None = None,
        image: Source | Iterable[Source] | None = None,
        *,
        like: Words | Iterable[Words] | None = None,
        taxon: str | Iterable[str] = (),
        not_taxon: str | Iterable[str] = (),
        crop: Region | None = None,
        literal: bool = False,
        **others: Any,
    ) -> Hits:
        """Find photos by words, by photos (paths or addresses), by photos of the catalogue, or all together.

        Each of them may be one, or several, or pairs with a weight, which may be negative. `crop` is a region of
        every image; `others` are fields of Query: limit, offset, where, view, records, min_score, by_specimen,
        diverse, exact, include_missing, for_text. Raises what `Searcher.search` raises.
        """
        parts: list[Part] = [TextPart(words, weight, literal) for words, weight in _weighted(text)]
        parts += [PhotoPart(str(source), weight, crop) for source, weight in _weighted(image)]
        parts += [LikePart(name, weight) for name, weight in _weighted(like)]
        return self.ask(Query(tuple(parts), _several(taxon), _several(not_taxon), **others))

    def ask(self, query: Query) -> Hits:
        """Answer a Query. Raises what `Searcher.search` raises."""
        return self._searcher.search(query)

    def identify(
        self,
        photos: str | Path | Iterable[str | Path] | None = None,
        *,
        taxon: str | Iterable[str] = (),
        taxa: str | Path | None = None,
        text_embeddings: str | Path | None = None,
        method: str = "zero-shot",
        neighbours: int = 20,
        rank: str = "species",
        confidence: float = 0.8,
        limit: int = 5,
        temperature: float | None = None,
    ) -> "list[Identification]":
        """Say what is on photos (paths), in their order; or on those of the catalogue without a determination.

        The answer is the narrowest name, no narrower than `rank`, with at least this `confidence`; `limit` is the
        number of candidates beside it. They are the catalogue's taxa, or those of the file `taxa` or of
        `text_embeddings` (TreeOfLife's FILE.npy; `taxa` beside it restricts), that belong to one of `taxon`.
        `method` is “zero-shot”, “neighbours” (of which so many vote) or “centroids”; without a `temperature` the
        one that was fitted for it holds. Names that no taxon bears are logged and left out.

        Raises PhotoError for a photo that cannot be read, UnknownTaxon when no taxon is left, RecordError for a file
        of taxa or embeddings that cannot be used, ModelMismatch for embeddings of another model, UsageError for a
        method, a rank or numbers that mean nothing, QueryError for a catalogue without determinations, and what
        loading a model raises.
        """
        from bioclip_search.identification import Among, MethodName, Settings, kept_temperature

        way = _one_of(MethodName, method)
        if temperature is None:
            temperature = kept_temperature(self.catalogue.folder, way, self.catalogue.fingerprint) or 1.0
        settings = Settings(_one_of(Rank, rank), confidence, limit, temperature)
        among = Among(_several(taxon), _path(taxa), _path(text_embeddings), neighbours)
        return self._identified(None if photos is None else _paths(photos), way, among, settings)

    def _identified(
        self, photos: list[Path] | None, way: "MethodName", among: "Among", settings: "Settings"
    ) -> "list[Identification]":
        from bioclip_search import identification as by

        observer = by.Observer(_unknown, _not_told, _not_told, _log.warning)
        made = by.make_method(way, self.catalogue, among, self._load, observer)
        if photos is None:
            without = by.from_catalogue(self.catalogue, f"({by.UNIDENTIFIED}) AND {PRESENT}", made.at_once)
            return list(by.identify(made, without, settings))
        reader = by.FileReader(self._load, _unreadable, self.catalogue)
        return list(by.identify(made, reader.subjects(photos, made.at_once), settings))


def open_catalogue(
    folder: str | Path | None = None,
    *,
    model: str | None = None,
    model_for_text: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    as_of: int | None = None,
) -> OpenCatalogue:
    """Open a catalogue: of a folder, else of $BIOCLIP_SEARCH_CATALOGUE, else the user's own.

    `model` says where the catalogue's model is now, if not where it was, `model_for_text` the same of its model for
    texts; `as_of` reads a version of the past.
    Raises CatalogueNotFound, CatalogueDamaged or CatalogueTooNew; ModelMismatch for a model that is named here and
    is another than the catalogue's.
    """
    place = catalogue_folder(Path(folder) if folder is not None else None)
    return OpenCatalogue(Catalogue.open(place, as_of), model, model_for_text, device, dtype)


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)


def _paths(photos: str | Path | Iterable[str | Path]) -> list[Path]:
    return [Path(photos)] if isinstance(photos, str | Path) else [Path(photo) for photo in photos]


def _one_of(kind: type[_Kind], value: str) -> _Kind:
    try:
        return kind(value)
    except ValueError as error:
        raise UsageError(f"“{value}” is none of: {', '.join(kind)}.") from error


def _unknown(name: str) -> None:
    _log.warning("No taxon bears the name “%s”; it is left out.", name)


def _not_told(_: int) -> None:
    pass


def _unreadable(photo: Path, error: PhotoError) -> None:
    raise type(error)(f"{printable(str(photo))}: {error}") from error


def _several(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _weighted(parts: Any) -> list[tuple[Any, float]]:
    """One part, a pair of a part and a weight, or several of these, as pairs."""
    if parts is None:
        return []
    is_pair = isinstance(parts, tuple) and len(parts) == 2 and isinstance(parts[1], int | float)
    several = [parts] if is_pair or isinstance(parts, str | Path) else list(parts)
    return [part if isinstance(part, tuple) else (part, 1.0) for part in several]
