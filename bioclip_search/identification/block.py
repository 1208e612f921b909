"""Embeddings with what tells whether two of them show the same specimen."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.content import ContentSet
from bioclip_search.embedder import Features
from bioclip_search.identification.taxa import MISSING, Codes, Mask
from bioclip_search.schema import EMBEDDING, KEY
from bioclip_search.specimen import Specimen
from bioclip_search.vectors import matrix, unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BLOCK_COLUMNS", "NO_SPECIMEN", "Block", "block_of", "specimen_key"]

Keys = npt.NDArray[np.uint64]

NO_SPECIMEN = 0
"""The specimen key of a photo whose specimen has no number."""

_NUMBERS = ("occurrenceID", "institutionCode", "collectionCode", "catalogNumber")
BLOCK_COLUMNS = (KEY, "content_hash", *_NUMBERS, EMBEDDING)


@dataclass(frozen=True, slots=True)
class Block:
    """Photos of a catalogue, or from elsewhere.

    `vectors` is float32 [n, dim] of unit length, `classes` the row of each photo's taxon or MISSING;
    `contents` and `specimens` are 64-bit keys: equal ones mean the same file or the same specimen.
    `photos` are photo_ids, “” for a photo that is not in the catalogue.
    """

    vectors: Features
    classes: Codes
    contents: Keys
    specimens: Keys
    photos: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: Any) -> "Block":
        """Some of the photos."""
        return Block(
            self.vectors[rows], self.classes[rows], self.contents[rows], self.specimens[rows], self.photos[rows]
        )

    def kin(self, other: "Block") -> Iterator[tuple[int, Mask]]:
        """The photos of `other` that show a specimen, or are a copy of a file, of this block.

        Yields the column in `other` with the rows of this block that it is kin to: bool [n].
        """
        close = np.isin(other.contents, self.contents)
        close |= np.isin(other.specimens, self.specimens) & (other.specimens != NO_SPECIMEN)
        for column in np.flatnonzero(close):
            same = self.contents == other.contents[column]
            if other.specimens[column] != NO_SPECIMEN:
                same |= self.specimens == other.specimens[column]
            yield int(column), same


def block_of(rows: "pa.Table", classes: Codes | None = None) -> Block:
    """Rows of the catalogue that have BLOCK_COLUMNS; without `classes` no photo has a taxon."""
    contents = [ContentSet.key(content) for content in rows["content_hash"].to_pylist()]
    return Block(
        unit(matrix(rows[EMBEDDING].combine_chunks())),
        np.full(rows.num_rows, MISSING, dtype=np.int32) if classes is None else classes,
        np.asarray(contents, dtype=np.uint64),
        _specimens(rows),
        np.asarray(rows[KEY].to_pylist(), dtype=np.str_),
    )


def specimen_key(specimen: Specimen) -> int:
    """The key of a specimen: its occurrenceID, else its catalogue number within institution and collection."""
    return _key([specimen.terms.get(term) for term in _NUMBERS])


def _specimens(rows: "pa.Table") -> Keys:
    numbers = zip(*(rows[term].to_pylist() for term in _NUMBERS), strict=True)
    return np.fromiter((_key(number) for number in numbers), dtype=np.uint64, count=rows.num_rows)


def _key(numbers: Sequence[str | None]) -> int:
    occurrence, institution, collection, catalogue_number = numbers
    if occurrence:
        name = occurrence
    elif catalogue_number:
        name = "\0".join((institution or "", collection or "", catalogue_number))
    else:
        return NO_SPECIMEN
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) or 1
