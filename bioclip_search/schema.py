"""The columns of the catalogue's table, and the way between a row and a Photo.

The one owner of column names: Darwin Core terms where there is one, our own words elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bioclip_search.specimen import NUMBER_TERMS, Photo, Specimen, number_of
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.terms import SPECIMEN_TERMS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "EMBEDDING",
    "EMBEDDING_FOR_TEXT",
    "IS_FOR_TEXT",
    "KEY",
    "MISSING",
    "NOT_FOR_TEXT",
    "OTHER_TERMS",
    "PHOTO_COLUMNS",
    "PRESENT",
    "RECORD_TEXT",
    "SCHEMA_VERSION",
    "SPECIMEN_COLUMNS",
    "TAXON_COLUMNS",
    "THUMBNAIL",
    "embedding_array",
    "embedding_type",
    "photo_from_row",
    "photo_id",
    "photo_schema",
    "photo_table",
    "record_text",
    "specimen_from_row",
    "specimen_row",
]

SCHEMA_VERSION = 3

KEY = "photo_id"
EMBEDDING = "embedding"
EMBEDDING_FOR_TEXT = "embedding_for_text"

IS_FOR_TEXT = "is_embedded_for_text"
"""The column that is true where EMBEDDING_FOR_TEXT holds an embedding, and NULL where zeros or NULL stand there.

LanceDB writes no row without a vector, and is slow to tell which vectors are NULL.
"""

THUMBNAIL = "thumbnail"

PRESENT = "missing_since IS NULL"
"""SQL: the file was there when it was last looked for."""

MISSING = "missing_since IS NOT NULL"

NOT_FOR_TEXT = f"{IS_FOR_TEXT} IS NULL AND {PRESENT}"
"""SQL: the file was there, and the model for texts has not embedded it yet."""

OTHER_TERMS = "otherTerms"
"""The column of what a record says beyond SPECIMEN_TERMS: a JSON object."""

RECORD_TEXT = "recordText"
"""The column of all that a record says, one value a line, for full-text search."""

_FILE_COLUMNS = (
    *("root", "path", "size", "mtime", "content_hash", "width", "height", "view"),
    *("indexed_at", "missing_since"),
)
SPECIMEN_COLUMNS = (*SPECIMEN_TERMS, OTHER_TERMS)
PHOTO_COLUMNS = (KEY, *_FILE_COLUMNS, *SPECIMEN_COLUMNS)


TAXON_COLUMNS = (*(rank.value for rank in RANKS), "vernacularName")


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
        "year": pa.int32(),
        "decimalLatitude": pa.float64(),
        "decimalLongitude": pa.float64(),
    }
    fields = [pa.field(name, types.get(name, pa.string()), nullable=name != KEY) for name in PHOTO_COLUMNS]
    fields.append(pa.field(RECORD_TEXT, pa.string()))
    fields.append(pa.field(THUMBNAIL, pa.binary()))
    fields.append(pa.field(EMBEDDING, embedding_type(dim)))
    return pa.schema(fields, metadata=dict(metadata or {}))


def embedding_type(dim: int) -> "pa.DataType":
    """The type of a column of embeddings: float16 [dim]."""
    import pyarrow as pa

    return pa.list_(pa.float16(), dim)


def embedding_array(vectors: Sequence[npt.ArrayLike | None], dim: int) -> "pa.FixedSizeListArray":
    """A column of embeddings [dim]; zeros stand for None."""
    import pyarrow as pa

    matrix = np.zeros((len(vectors), dim), dtype=np.float16)
    for row, vector in zip(matrix, vectors, strict=True):
        if vector is not None:
            row[:] = vector
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dim)


def photo_table(
    photos: Sequence[Photo], embeddings: npt.NDArray[np.floating[Any]], thumbnails: Sequence[bytes]
) -> "pa.Table":
    """Rows for the table: photos with their embeddings [n, dim] and thumbnails (JPEG), in the same order."""
    import pyarrow as pa

    dim = embeddings.shape[1]
    schema = photo_schema(dim)
    rows = [_photo_row(photo) for photo in photos]
    columns: dict[str, Any] = {
        name: pa.array([row[name] for row in rows], schema.field(name).type) for name in (*PHOTO_COLUMNS, RECORD_TEXT)
    }
    columns[THUMBNAIL] = pa.array(thumbnails, pa.binary())
    flat = pa.array(np.ascontiguousarray(embeddings, dtype=np.float16).reshape(-1), pa.float16())
    columns[EMBEDDING] = pa.FixedSizeListArray.from_arrays(flat, dim)
    return pa.table(columns, schema=schema)


def _photo_row(photo: Photo) -> dict[str, Any]:
    files = {name: getattr(photo, name) for name in _FILE_COLUMNS}
    return {
        KEY: photo_id(photo.root, photo.path),
        **files,
        **specimen_row(photo.specimen),
        RECORD_TEXT: record_text(photo.specimen),
    }


def specimen_row(specimen: Specimen) -> dict[str, Any]:
    """The Darwin Core columns of a specimen."""
    terms = dict(specimen.terms)
    row: dict[str, Any] = dict.fromkeys(SPECIMEN_TERMS)
    for name in NUMBER_TERMS:
        if (number := number_of(name, terms.get(name))) is not None:
            row[name] = number
            del terms[name]
    for name in [name for name in terms if name in row and name not in NUMBER_TERMS]:
        row[name] = terms.pop(name)
    row |= {rank.value: specimen.taxon.name_at(rank) for rank in RANKS}
    row["vernacularName"] = specimen.taxon.common_name
    # A number that is written as something else stays with the others.
    row[OTHER_TERMS] = json.dumps(terms, ensure_ascii=False, sort_keys=True) if terms else None
    return row


def record_text(specimen: Specimen) -> str | None:
    """What RECORD_TEXT holds for a specimen."""
    names = [name for _, name in specimen.taxon.lineage]
    values = [*specimen.terms.values(), *names, specimen.taxon.common_name]
    return "\n".join(dict.fromkeys(value for value in values if value)) or None


def specimen_from_row(row: Mapping[str, Any]) -> Specimen:
    """The Specimen of a row that has all SPECIMEN_COLUMNS."""
    others: dict[str, str] = json.loads(row[OTHER_TERMS]) if row[OTHER_TERMS] else {}
    columns = {name: str(row[name]) for name in SPECIMEN_TERMS if row[name] is not None}
    return Specimen(taxon=_taxon(tuple(row[name] for name in TAXON_COLUMNS)), terms={**columns, **others})


# Hits share their taxa, and a name takes longer to clean than to look up.
@lru_cache(16_384)
def _taxon(names: tuple[str | None, ...]) -> Taxon:
    return Taxon.from_ranks(dict(zip(TAXON_COLUMNS, names, strict=True)))


def photo_from_row(row: Mapping[str, Any]) -> Photo:
    """The Photo of a row that has all PHOTO_COLUMNS."""
    return Photo(specimen=specimen_from_row(row), **{name: row[name] for name in _FILE_COLUMNS})
