"""Parts of one size, of values and of rows."""

import itertools

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.batches import ROWS_TOGETHER, batched, collected


@given(count=st.integers(0, 40), size=st.integers(1, 12))
def test_values_come_in_their_order_and_in_full_parts(count: int, size: int) -> None:
    """Only the last part may be shorter; no part is empty."""
    parts = list(batched(iter(range(count)), size))
    assert [value for part in parts for value in part] == list(range(count))
    assert [len(part) for part in parts[:-1]] == [size] * max(0, len(parts) - 1)
    assert all(parts)


def test_a_part_is_given_as_soon_as_it_is_full() -> None:
    """What has no end can be taken in parts too."""
    assert next(batched(itertools.count(), 3)) == [0, 1, 2]


@given(st.lists(st.integers(0, 2 * ROWS_TOGETHER + 10), max_size=6))
def test_rows_come_in_their_order_and_in_full_tables(sizes: list[int]) -> None:
    """Small, large and empty batches make tables of the same number of rows, but for the last."""
    ends = list(itertools.accumulate(sizes, initial=0))
    batches = [
        pa.record_batch({"row": pa.array(range(start, end), pa.int64())}) for start, end in itertools.pairwise(ends)
    ]
    tables = list(collected(batches))
    assert [row for table in tables for row in table["row"].to_pylist()] == list(range(ends[-1]))
    assert [table.num_rows for table in tables[:-1]] == [ROWS_TOGETHER] * max(0, len(tables) - 1)
    assert all(table.num_rows for table in tables)
