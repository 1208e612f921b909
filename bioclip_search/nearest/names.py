"""Names as numbers, in the order in which they are first met."""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NO_NAME", "Names", "coded", "read_names", "write_names"]

NO_NAME = -1


class Names(Sequence[str]):
    """Distinct names, each known by its number; several threads may ask.

    They are held as text one after the other: a hundred thousand names as objects take thirty megabytes, with their
    numbers in a dictionary.
    """

    def __init__(self, names: "pa.StringArray") -> None:
        self._names = names
        self._order: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(cls, names: Sequence[str]) -> "Names":
        """Names in the order of their numbers."""
        import pyarrow as pa

        return cls(pa.array(names, pa.string()))

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> "Names": ...

    def __getitem__(self, number: int | slice) -> "str | Names":
        if isinstance(number, slice):
            return Names(self._names[number])
        name: str = self._names[number].as_py()
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.to_pylist())

    def number(self, name: str) -> int | None:
        """The number of a name; None where it is none of these."""
        import pyarrow.compute as pc

        if self._order is None:
            self._order = pc.sort_indices(self._names).to_numpy().astype(np.int64)
        # Arrow orders text by its bytes, which is the order of Python, by code points.
        at = bisect_left(self._order, name, key=lambda number: self[int(number)])
        if at == len(self) or self[int(self._order[at])] != name:
            return None
        return int(self._order[at])


def read_names(file: Path, columns: Sequence[str]) -> dict[str, Names]:
    """The names of some columns as `write_names` left them. Raises OSError or ValueError for what is damaged."""
    import pyarrow as pa
    import pyarrow.json as pj

    # Never as Python objects, whose memory would not all come back.
    whole = pj.ReadOptions(use_threads=False, block_size=file.stat().st_size + 1)
    # Left to itself it takes dates for moments.
    schema = pa.schema([(column, pa.list_(pa.string())) for column in columns])
    table = pj.read_json(file, read_options=whole, parse_options=pj.ParseOptions(explicit_schema=schema))
    lists = {column: table[column].combine_chunks() for column in columns}
    if table.num_rows != 1 or any(some.null_count or some.values.null_count for some in lists.values()):
        raise ValueError(f"{file} is no object of lists of names")
    return {column: Names(some.values) for column, some in lists.items()}


def write_names(file: Path, names: Mapping[str, Sequence[str]]) -> None:
    """Write names by column as a JSON object of lists, on one line."""
    file.write_text(json.dumps(names), encoding="utf-8")


def coded(column: "pa.ChunkedArray", names: dict[str, int]) -> npt.NDArray[np.int32]:
    """Names as numbers int32 [n], NO_NAME for none; new ones are added to `names`."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = [names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()]
    lookup = np.array([*codes, NO_NAME], dtype=np.int32)
    indices = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
    numbers: npt.NDArray[np.int32] = lookup[indices]
    return numbers
