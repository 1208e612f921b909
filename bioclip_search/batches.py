"""What comes a little at a time, put together to parts of one size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ROWS_TOGETHER", "batched", "collected"]

_T = TypeVar("_T")

ROWS_TOGETHER = 8_192
"""Rows in a table that `collected` gives; only the last has fewer."""


def batched(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The values in lists of one size, but for the last, each as soon as it is full."""
    waiting = iter(values)
    while part := list(islice(waiting, size)):
        yield part


def collected(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.Table]":
    """The same rows in tables of ROWS_TOGETHER: a LanceDB table that was written in many commits has small batches."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        while count >= ROWS_TOGETHER:
            table = pa.Table.from_batches(held)
            yield table.slice(0, ROWS_TOGETHER)
            held = table.slice(ROWS_TOGETHER).to_batches()
            count -= ROWS_TOGETHER
    if count:
        yield pa.Table.from_batches(held)
