"""How LanceDB is spoken to: connecting, its errors, values in its conditions."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioclip_search.errors import CatalogueDamaged, CatalogueError
from bioclip_search.lance_import import lancedb

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

__all__ = [
    "CACHE_BYTES",
    "RowsMoved",
    "among",
    "chunks",
    "connect",
    "lance_errors",
    "past_errors",
    "quoted",
    "scan",
    "take",
    "writing",
]

CACHE_BYTES = 128 * 2**20

_VALUES_AT_ONCE = 1_000
_ROWS_AT_ONCE = 128
_TAKEN_AT_ONCE = 2_000
# A scan was seen to wait for ever where a batch of rows did not fit into the buffer.
_BUFFER_BYTES = 16 * 2**20


def connect(folder: Path, cache_bytes: int = CACHE_BYTES) -> Any:
    """A LanceDB connection to a folder, in which every read sees what other processes committed before it.

    It keeps no more than `cache_bytes` of what it reads of indices, and as much of files' metadata.
    """
    # LanceDB logs warnings from native code straight to the terminal; errors come as exceptions.
    os.environ.setdefault("LANCEDB_LOG", "error")
    # Its defaults may hold gigabytes while it compacts a table of large rows, and in its caches.
    os.environ.setdefault("LANCE_DEFAULT_BATCH_SIZE", str(_ROWS_AT_ONCE))
    os.environ.setdefault("LANCE_DEFAULT_IO_BUFFER_SIZE", str(_BUFFER_BYTES))
    lance = lancedb()
    session = lance.Session(index_cache_size_bytes=cache_bytes, metadata_cache_size_bytes=cache_bytes)
    return lance.connect(folder, read_consistency_interval=timedelta(0), session=session)


@contextmanager
def lance_errors(folder: Path) -> Iterator[None]:
    """Turn what LanceDB and the file system raise into one of our errors.

    Raises CatalogueError where the disk is full or writing is not permitted, else CatalogueDamaged.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).split(", /", 1)[0].strip()
        if "No space left" in reason:
            raise CatalogueError(
                f"The disk of the catalogue {folder} is full; free some space and give the same command again. "
                "What was indexed is kept."
            ) from error
        if "ermission denied" in reason or "Read-only file system" in reason:
            raise CatalogueError(
                f"The catalogue {folder} may not be written; change its permissions or choose another with --catalogue."
            ) from error
        raise CatalogueDamaged(
            f"The catalogue {folder} cannot be used ({reason}). Restore the folder from a backup, "
            "or delete it and index again; the photos themselves are untouched."
        ) from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Write to the tables of a folder while no other process or thread does; errors as `lance_errors`.

    LanceDB commits atomically, but two merges at the same time were seen to insert the same key twice.
    """
    from filelock import FileLock

    with lance_errors(folder), FileLock(folder / ".write-lock"):
        yield


def quoted(value: str) -> str:
    """A value as a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def among(column: str, values: Sequence[str]) -> str:
    """SQL: the column holds one of the values."""
    return f"{column} IN ({', '.join(map(quoted, values))})"


def chunks(values: Sequence[str], size: int = _VALUES_AT_ONCE) -> Iterator[Sequence[str]]:
    """The values in parts, by default as many as a condition can hold."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def scan(table: Any, columns: Sequence[str], where: str | None = None) -> "Iterator[pa.RecordBatch]":
    """The rows of a LanceDB table that a condition selects, in its own order and in the batches of `connect`.

    A filtered scan was seen to hang (LanceDB 0.40) when a batch of 8,192 embeddings had more bytes than
    the buffer that is set there.
    """
    query = table.search().select(list(columns)).limit(None)
    yield from (query.where(where) if where else query).to_batches()


class RowsMoved(Exception):
    """Rows are no longer where they were when their ids were read: the table was compacted."""


@contextmanager
def past_errors(folder: Path) -> Iterator[None]:
    """As `lance_errors`, for a version that another process may have compacted away: raises CatalogueError for that."""
    try:
        with lance_errors(folder):
            yield
    except (RowsMoved, CatalogueDamaged) as error:
        is_gone = isinstance(error, RowsMoved) or "not found" in str(error).lower()
        if not is_gone:
            raise
        raise CatalogueError(f"The catalogue {folder} was changed while it was being read; read it again.") from error


def take(table: Any, row_ids: "npt.NDArray[np.uint64]", columns: Sequence[str]) -> "pa.Table":
    """Columns of the rows with these ids, in their order. Raises RowsMoved."""
    import numpy as np
    import pyarrow as pa

    parts = []
    for start in range(0, max(1, len(row_ids)), _TAKEN_AT_ONCE):
        distinct, places = np.unique(row_ids[start : start + _TAKEN_AT_ONCE], return_inverse=True)
        taken = table.take_row_ids(distinct.tolist()).select(list(columns)).to_arrow()
        if len(taken) != len(distinct):
            raise RowsMoved
        parts.append(taken.take(pa.array(places)))
    return pa.concat_tables(parts)
