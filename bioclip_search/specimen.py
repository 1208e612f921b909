"""What a row of the catalogue means: a photo, and the record of the specimen that it shows."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bioclip_search.taxonomy import Taxon

__all__ = ["Photo", "Specimen"]


@dataclass(frozen=True, slots=True)
class Specimen:
    """The collection's record of one specimen, in Darwin Core's terms.

    `scientific_name` is kept as written (authorship, qualifier and all); `taxon` is what was
    understood of it.
    """

    taxon: Taxon = field(default_factory=Taxon)
    scientific_name: str | None = None
    catalog_number: str | None = None
    occurrence_id: str | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """One file of an archive; root and path together identify it.

    `path` is relative to `root` and written with slashes; `mtime` is in UTC; `content_hash` is
    the SHA-256 of the file; width and height are those of the upright picture, in pixels.
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
    missing_since: datetime | None = None

    @property
    def file(self) -> Path:
        return Path(self.root) / self.path
