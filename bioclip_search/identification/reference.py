"""The determined photos of a catalogue: what an unknown photo is compared with."""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from bioclip_search.batches import collected
from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import QueryError
from bioclip_search.identification.block import BLOCK_COLUMNS, Block, block_of
from bioclip_search.identification.taxa import MISSING, Codes, TaxonTable
from bioclip_search.taxonomy import RANKS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DETERMINED", "RANK_COLUMNS", "UNIDENTIFIED", "Reference"]

RANK_COLUMNS = tuple(rank.value for rank in RANKS)

UNIDENTIFIED = " AND ".join(f"`{column}` IS NULL" for column in RANK_COLUMNS)
"""SQL: the photo has no determination at any rank."""

DETERMINED = f"NOT ({UNIDENTIFIED})"
"""SQL: the photo has a determination at some rank."""

_BETWEEN = "\x1f"


class Reference:
    """The taxa of a catalogue and the photos that were determined as them, missing files included.

    `taxa` are distinct lineages, completed where records leave ranks out.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        counted = [found for found in catalogue.taxa(include_missing=True) if found.taxon.rank is not None]
        # The commonest common name is the one to show; the order is the same in every run.
        counted.sort(key=lambda found: (-found.photos, found.taxon.tagged, found.taxon.common_name or ""))
        if not counted:
            raise QueryError(
                f"No photo of the catalogue {catalogue.folder} has a determination; "
                "give taxa with --taxa FILE, or records with `bioclip-search metadata import`."
            )
        written = [found.taxon for found in counted]
        self.taxa, rows = TaxonTable.of(written).completed().distinct()
        lineages = (_BETWEEN.join(taxon.name_at(rank) or "" for rank in RANKS) for taxon in written)
        self._row_of = dict(zip(lineages, rows.tolist(), strict=True))

    def restrict(self, rows: np.ndarray) -> None:
        """Keep only the taxa of some rows, and the photos of these."""
        place = np.full(len(self.taxa), MISSING, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        self.taxa = self.taxa.take(rows)
        self._row_of = {lineage: int(place[row]) for lineage, row in self._row_of.items()}

    def count(self) -> int:
        """Number of determined photos."""
        return self._catalogue.count(DETERMINED)

    def blocks(self) -> Iterator[Block]:
        """The photos, some thousand at a time: one pass over the table, in its order."""
        for rows in collected(self._catalogue.scan([*BLOCK_COLUMNS, *RANK_COLUMNS], DETERMINED)):
            classes = self._classes(rows)
            known = np.flatnonzero(classes != MISSING)
            if len(known) == rows.num_rows:
                yield block_of(rows, classes)
            elif len(known):
                yield block_of(rows.take(known), classes[known])

    def _classes(self, rows: "pa.Table") -> Codes:
        lineages = _joined(rows)
        words = np.asarray([self._row_of.get(text, MISSING) for text in lineages.dictionary.to_pylist()], np.int32)
        classes: Codes = words[lineages.indices.to_numpy(zero_copy_only=False)]
        return classes


def _joined(rows: "pa.Table") -> "pa.DictionaryArray":
    """The names of all ranks of each row as one text, equal texts kept once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: Sequence[pa.Array] = [pc.fill_null(rows[column].combine_chunks(), "") for column in RANK_COLUMNS]
    return reduce(lambda left, right: pc.binary_join_element_wise(left, right, _BETWEEN), columns).dictionary_encode()
