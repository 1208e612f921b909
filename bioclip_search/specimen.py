"""What a row of the catalogue means: a photo, and the record of the specimen that it shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from bioclip_search.taxonomy import RANKS, Taxon

__all__ = ["NUMBER_TERMS", "Photo", "Specimen", "number_of"]

NUMBER_TERMS: Mapping[str, type[int] | type[float]] = MappingProxyType(
    {"year": int, "decimalLatitude": float, "decimalLongitude": float}
)
"""Terms whose values are numbers, when they are written as such."""

_OF_TAXON = frozenset({*(rank.value for rank in RANKS), "vernacularName"})


@dataclass(frozen=True, slots=True)
class Specimen:
    """The collection's record of one specimen.

    `taxon` is what was understood of its determination; `terms` is everything else that the record
    says, by Darwin Core term, as written (numbers in their plainest form).
    """

    taxon: Taxon = field(default_factory=Taxon)
    terms: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {name: value for name, value in self.terms.items() if value and name not in _OF_TAXON}
        numbers = {
            name: str(number) for name in NUMBER_TERMS if (number := number_of(name, kept.get(name))) is not None
        }
        object.__setattr__(self, "terms", MappingProxyType({**kept, **numbers}))

    @property
    def scientific_name(self) -> str | None:
        """The determination as written: authorship, qualifier and all."""
        return self.terms.get("scientificName")

    @property
    def catalog_number(self) -> str | None:
        return self.terms.get("catalogNumber")

    @property
    def occurrence_id(self) -> str | None:
        return self.terms.get("occurrenceID")


def number_of(term: str, value: str | None) -> int | float | None:
    """The number that a value of one of NUMBER_TERMS is; None for “ca. 1900” and the like."""
    if value is None:
        return None
    try:
        number = NUMBER_TERMS[term](value)
    except ValueError:
        return None
    fits = abs(number) < 2**31 if isinstance(number, int) else math.isfinite(number)
    return number if fits else None


@dataclass(frozen=True, slots=True)
class Photo:
    """One file of an archive; root and path together identify it.

    `path` is relative to `root` and written with slashes; `size` is in bytes; `mtime` is in UTC;
    `content_hash` is the SHA-256 of the file; width and height are those of the upright picture, in
    pixels. `view` is what the file name says of it: dorsal, ventral, lateral, label …
    `missing_since` is set while the file is not where it was indexed.
    """

    root: str
    path: str
    size: int
    mtime: datetime
    content_hash: str
    width: int
    height: int
    indexed_at: datetime
    specimen: Specimen = field(default_factory=Specimen)
    view: str | None = None
    missing_since: datetime | None = None

    @property
    def file(self) -> Path:
        return Path(self.root) / self.path
