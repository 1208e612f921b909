"""Tables of one row a photo: CSV, JSON Lines, Parquet."""

import csv
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bioclip_search.text import guarded, printable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write_csv", "write_jsonl", "write_parquet"]


def write_csv(stream: TextIO, schema: "pa.Schema", tables: "Iterable[pa.Table]", *, raw: bool) -> None:
    """CSV with a header line; without `raw`, cells are `guarded`."""
    shown = printable if stream.isatty() else str
    cell: Callable[[str], str] = shown if raw else lambda text: shown(guarded(text))
    writer = csv.writer(_Lines(stream), lineterminator="\r\n")
    writer.writerow([cell(name) for name in schema.names])
    for table in tables:
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            writer.writerow([cell(value) if isinstance(value, str) else value for value in row])


class _Lines:
    """Ends lines as the rest of the program does: csv quotes a lone carriage return only if lines end in one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(line.removesuffix("\r\n") + "\n")


def write_jsonl(stream: TextIO, schema: "pa.Schema", tables: "Iterable[pa.Table]") -> None:
    """One JSON object a line; on a terminal everything beyond ASCII is escaped."""
    encode = json.JSONEncoder(ensure_ascii=stream.isatty(), default=_moment).encode
    for table in tables:
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        stream.writelines(encode(dict(zip(schema.names, row, strict=True))) + "\n" for row in rows)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    raise TypeError(f"{type(value).__name__} has no JSON")


def write_parquet(path: Path, schema: "pa.Schema", tables: "Iterable[pa.Table]") -> None:
    """Parquet, one row group a table."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
