"""Names as numbers, in the order in which they are first met."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NO_NAME", "coded"]

NO_NAME = -1


def coded(column: "pa.ChunkedArray", names: dict[str, int]) -> npt.NDArray[np.int32]:
    """Names as numbers int32 [n], NO_NAME for none; new ones are added to `names`."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = [names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()]
    lookup = np.array([*codes, NO_NAME], dtype=np.int32)
    indices = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
    numbers: npt.NDArray[np.int32] = lookup[indices]
    return numbers
