"""The columns of the catalogue's table, and the way between a row and a Photo.

The one owner of column names: Darwin Core terms where there is one, our own words elsewhere.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.specimen import Photo, Specimen
from bioclip_search.taxonomy import RANKS, Taxon

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "EMBEDDING",
    "KEY",
    "MISSING",
    "PHOTO_COLUMNS",
    "PRESENT",
    "SCHEMA_VERSION",
    "SPECIMEN_COLUMNS",
    "THUMBNAIL",
    "photo_from_row",
    "photo_id",
    "photo_schema",
    "photo_table",
    "specimen_row",
]

SCHEMA_VERSION = 1

KEY = "photo_id"
EMBEDDING = "embedding"
THUMBNAIL = "thumbnail"

PRESENT = "missing_since IS NULL"
"""SQL: the file was there when it was last looked for."""

MISSING = "missing_since IS NOT NULL"

_FILE_COLUMNS = ("root", "path", "size", "mtime", "content_hash", "width", "height", "indexed_at", "missing_since")
SPECIMEN_COLUMNS = (
    "catalogNumber",
    "occurrenceID",
    "scientificName",
    "vernacularName",
    *(rank.value for rank in RANKS),
)
PHOTO_COLUMNS = (KEY, *_FILE_COLUMNS, *SPECIMEN_COLUMNS)


def photo_id(root: str, path: str) -> str:
    """The key of a row: 128 bits of SHA-256 over root and path, as 32 hexadecimal digits."""
    return hashlib.sha256(f"{root}\0{path}".encode()).hexdigest()[:32]


def photo_schema(dim: int, metadata: Mapping[str, str] | None = None) -> "pa.Schema":
    """The Arrow schema of the table of photos; embeddings are unit length, float16 [dim].

    Plain strings throughout: dictionary columns are known to break on merge.
    """
    import pyarrow as pa

    moment = pa.timestamp("us", tz="UTC")
    types = {
        "size": pa.int64(),
        "mtime": moment,
        "indexed_at": moment,
        "missing_since": moment,
        "width": pa.int32(),
        "height": pa.int32(),
    }
    fields = [pa.field(name, types.get(name, pa.string()), nullable=name != KEY) for name in PHOTO_COLUMNS]
    fields.append(pa.field(THUMBNAIL, pa.binary()))
    fields.append(pa.field(EMBEDDING, pa.list_(pa.float16(), dim)))
    return pa.schema(fields, metadata=dict(metadata or {}))


def photo_table(
    photos: Sequence[Photo], embeddings: npt.NDArray[np.floating[Any]], thumbnails: Sequence[bytes]
) -> "pa.Table":
    """Rows for the table: photos with their embeddings [n, dim] and thumbnails (JPEG), in the same order."""
    import pyarrow as pa

    dim = embeddings.shape[1]
    schema = photo_schema(dim)
    rows = [_photo_row(photo) for photo in photos]
    columns: dict[str, Any] = {
        name: pa.array([row[name] for row in rows], schema.field(name).type) for name in PHOTO_COLUMNS
    }
    columns[THUMBNAIL] = pa.array(thumbnails, pa.binary())
    flat = pa.array(np.ascontiguousarray(embeddings, dtype=np.float16).reshape(-1), pa.float16())
    columns[EMBEDDING] = pa.FixedSizeListArray.from_arrays(flat, dim)
    return pa.table(columns, schema=schema)


def _photo_row(photo: Photo) -> dict[str, Any]:
    files = {name: getattr(photo, name) for name in _FILE_COLUMNS}
    return {KEY: photo_id(photo.root, photo.path), **files, **specimen_row(photo.specimen)}


def specimen_row(specimen: Specimen) -> dict[str, str | None]:
    """The Darwin Core columns of a specimen."""
    return {
        "catalogNumber": specimen.catalog_number,
        "occurrenceID": specimen.occurrence_id,
        "scientificName": specimen.scientific_name,
        "vernacularName": specimen.taxon.common_name,
        **{rank.value: specimen.taxon.name_at(rank) for rank in RANKS},
    }


def photo_from_row(row: Mapping[str, Any]) -> Photo:
    """The Photo of a row that has all PHOTO_COLUMNS."""
    names = {rank.value: row[rank.value] for rank in RANKS}
    specimen = Specimen(
        taxon=Taxon.from_ranks({**names, "vernacularName": row["vernacularName"]}),
        scientific_name=row["scientificName"],
        catalog_number=row["catalogNumber"],
        occurrence_id=row["occurrenceID"],
    )
    return Photo(specimen=specimen, **{name: row[name] for name in _FILE_COLUMNS})
