"""Where photos for shards come from; a source is read once, row by row."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from bioclip_search.schema import PRESENT, SPECIMEN_COLUMNS, specimen_from_row
from training.shards.sample import SourcePhoto, specimen_id

__all__ = ["WITHOUT_FILE", "WITHOUT_NAME", "CatalogueSource", "Source"]

WITHOUT_NAME = "withoutName"
WITHOUT_FILE = "withoutFile"


class Source(Protocol):
    """Photos with their taxa. `label` names the source in the manifest; `left_out` counts what it could not offer."""

    label: str
    left_out: Counter[str]

    def state(self) -> str:
        """Something that changes when the source does."""

    def photos(self) -> Iterator[SourcePhoto]:
        """All photos that have a name, in any order."""


class CatalogueSource:
    """The photos of a catalogue that are not missing."""

    def __init__(self, folder: Path) -> None:
        """Raises CatalogueError where there is no catalogue."""
        from bioclip_search.catalogue import Catalogue

        self._catalogue = Catalogue.open(folder)
        self.label = f"catalogue {folder.name}"
        self.left_out: Counter[str] = Counter()

    def state(self) -> str:
        from bioclip_search.history import versions

        return f"version {versions(self._catalogue.folder)[0].number}"

    def photos(self) -> Iterator[SourcePhoto]:
        for batch in self._catalogue.scan(["root", "path", "content_hash", *SPECIMEN_COLUMNS], PRESENT):
            for row in batch.to_pylist():
                specimen = specimen_from_row(row)
                if specimen.taxon.scientific_name is None and specimen.taxon.common_name is None:
                    self.left_out[WITHOUT_NAME] += 1
                    continue
                yield SourcePhoto(
                    file=str(Path(row["root"], row["path"])),
                    name=row["path"],
                    taxon=specimen.taxon,
                    specimen=specimen_id(specimen.terms, f"urn:sha256:{row['content_hash']}"),
                    scientific_name=specimen.scientific_name,
                    source="catalogue",
                )
