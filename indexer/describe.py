"""Which specimen a photo shows: by its record, else what the catalogue knows, else by its folders."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from bioclip_search.backbone import Backbone
from bioclip_search.determination import updated_specimen
from bioclip_search.placement import placed, unplaced
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import Taxon
from indexer.filename import read_file_name
from indexer.folders import taxon_from_folders
from indexer.join import RecordIndex
from indexer.plan import Place

__all__ = ["Describer"]


class Describer:
    """Describes photos by the records of this run and, when asked, by the folders they lie in."""

    def __init__(
        self,
        records: RecordIndex | None = None,
        *,
        from_folders: bool = False,
        backbone: Backbone | None = None,
        patterns: Sequence[re.Pattern[str]] = (),
    ) -> None:
        self._records = records
        self._from_folders = from_folders
        self._backbone = backbone
        self._patterns = patterns

    @property
    def can_tell(self) -> bool:
        """Whether there is anything to describe photos by."""
        return self._records is not None or self._from_folders

    def view(self, place: Place) -> str | None:
        """The view that the photo's file name tells of."""
        return read_file_name(PurePath(place.path).stem, self._patterns).view

    def describe(self, place: Place, stored: Specimen) -> Specimen:
        """The specimen of the photo at a place; `stored` is what the catalogue holds of it."""
        known = unplaced(stored)
        told = self._told(place, known)
        if self._backbone is not None:
            return placed(told, self._backbone)
        return stored if told == known else told

    def _told(self, place: Place, stored: Specimen) -> Specimen:
        record = self._records.find(place) if self._records else None
        if record is not None:
            return updated_specimen(stored, record, self._records.columns if self._records else frozenset())
        if self._from_folders and _may_come_from_folders(stored):
            taxon = taxon_from_folders([PurePath(place.root).name, *place.path.split("/")[:-1]])
            if taxon.rank is not None:
                return _named_after(taxon)
            return Specimen()
        return stored


def _named_after(taxon: Taxon) -> Specimen:
    return Specimen(taxon, {"scientificName": taxon.scientific_name or ""})


def _may_come_from_folders(stored: Specimen) -> bool:
    """Whether nothing is stored that folders cannot tell: a record is never overwritten by them."""
    return stored == Specimen() or (stored == _named_after(stored.taxon) and stored.taxon.common_name is None)
