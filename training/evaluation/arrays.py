"""Features of many photos as arrays that lie on the disk: a million photos fit into little memory.

What is read of them is read in blocks; the system keeps in memory what there is room for.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.errors import UsageError
from bioclip_search.text import printable
from bioclip_search.vectors import unit

__all__ = ["directions", "kept_in", "row_slices", "selected", "write_rows"]

_ROWS = 16_384
_UNIT = 1e-5


def row_slices(count: int) -> Iterator[slice]:
    """All of some rows, so many at a time."""
    yield from (slice(start, min(start + _ROWS, count)) for start in range(0, count, _ROWS))


def selected(features: Features, rows: npt.NDArray[np.int64], folder: Path) -> Features:
    """Some rows of [n, dim] in ascending order: the array itself where they are all of it. Raises UsageError."""
    if len(rows) == len(features):
        return features
    return _unnamed((features[rows[part]] for part in row_slices(len(rows))), (len(rows), features.shape[1]), folder)


def directions(features: Features, folder: Path) -> Features:
    """Features [n, dim] at length 1: the array itself where they are so. Raises UsageError."""
    lengths = (np.linalg.norm(features[part], axis=1) for part in row_slices(len(features)))
    if all((np.abs(length - 1) < _UNIT).all() for length in lengths):
        return features
    return _unnamed((unit(features[part]) for part in row_slices(len(features))), features.shape, folder)


def write_rows(parts: Iterator[Features], stream: BinaryIO) -> None:
    """Rows as bytes of float32. Written so, a full disk is an error; in a mapped file it would end the program."""
    stream.writelines(np.ascontiguousarray(part, dtype="<f4").data for part in parts)
    stream.flush()


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """What the disk refuses becomes one sentence, a UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"The features cannot be kept in {printable(str(folder))} ({error.strerror or error}); free some space, or "
            "name another --output."
        ) from error


def _unnamed(parts: Iterator[Features], shape: tuple[int, ...], folder: Path) -> Features:
    """An array in a file that has no name: it is gone with the array."""
    with kept_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            write_rows(parts, stream)
            return np.memmap(stream, dtype="<f4", mode="r", shape=shape)
