"""Embeddings as plain arrays: from a column of a table, and to unit length."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Vectors", "matrix", "unit"]

Vectors = npt.NDArray[np.float32]


def matrix(column: "pa.FixedSizeListArray") -> Vectors:
    """A column of embeddings as float32 [n, dim]."""
    flat = column.flatten().to_numpy(zero_copy_only=False)
    rows: Vectors = flat.reshape(len(column), column.type.list_size).astype(np.float32)
    return rows


def unit(vectors: Vectors) -> Vectors:
    """Vectors [..., dim] made to length 1, float32; a vector of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    rows: Vectors = (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return rows
