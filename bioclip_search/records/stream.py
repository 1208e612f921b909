"""A table of any length, read row by row: nothing of it but the row in hand is in memory."""

import codecs
import csv
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bioclip_search.errors import RecordError
from bioclip_search.records.table import (
    BYTE_ORDER_MARKS,
    LONGEST_FIELD,
    Record,
    opening_of,
    quoting_of,
    records_of,
    understood,
)
from bioclip_search.text import printable

__all__ = ["TableStream", "stream_table"]

_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class TableStream:
    """The `columns` of a table in their order, by the terms that they are, and its records, to be read once."""

    columns: tuple[str, ...]
    records: Iterator[Record]


def stream_table(path: Path, columns: Mapping[str, str] | None = None) -> TableStream:
    """The rows of a CSV or TSV file; `columns` as `read_records` takes them.

    Delimiter and quoting are told from its first megabyte, the encoding from all of it. Raises RecordError,
    also while records are read.
    """
    shown = printable(str(path))
    csv.field_size_limit(LONGEST_FIELD)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordError(f"{shown} is not a file; name a table of records.")
        encoding = _encoding_of(path)
        with path.open(encoding=encoding, errors="replace", newline="") as stream:
            beginning = stream.read(_BYTES_AT_ONCE)
    except OSError as error:
        raise RecordError(f"The record file {shown} cannot be read ({error.strerror}); check its path.") from error
    if "\0" in beginning:
        raise RecordError(f"{shown} is not a text file; export the records as UTF-8 CSV.")
    delimiter, begin = opening_of(beginning)
    quoting = quoting_of(beginning[begin:], delimiter)
    names, rows = understood(_rows(path, encoding, begin, delimiter, quoting, shown), columns or {}, shown)
    return TableStream(tuple(names), records_of(names, rows))


def _rows(
    path: Path, encoding: str, begin: int, delimiter: str, quoting: Literal[0, 3], shown: str
) -> Iterator[list[str]]:
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as stream:
            stream.read(begin)
            yield from csv.reader(stream, delimiter=delimiter, quoting=quoting, strict=True)
    except csv.Error as error:
        raise RecordError(f"{shown} is not a readable CSV file ({error}); export it again as UTF-8 CSV.") from error
    except OSError as error:
        raise RecordError(f"The record file {shown} cannot be read ({error.strerror}); check its path.") from error


def _encoding_of(path: Path) -> str:
    """By its byte order mark, else UTF-8 where all of it is that, else Windows' own."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        first = stream.read(_BYTES_AT_ONCE)
        for mark, encoding in BYTE_ORDER_MARKS.items():
            if first.startswith(mark):
                return encoding
        try:
            decoder.decode(first)
            while part := stream.read(_BYTES_AT_ONCE):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"
