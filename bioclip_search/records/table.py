"""Specimen records from CSV or TSV files whose columns are Darwin Core terms.

Delimiter, quoting and encoding are detected.
"""

import csv
import io
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bioclip_search.errors import RecordError
from bioclip_search.records.exported import is_own_export, terms_of_export, unguarded_rows
from bioclip_search.terms import JOINING_TERMS, canonical_term
from bioclip_search.text import clean, printable

__all__ = [
    "BYTE_ORDER_MARKS",
    "LONGEST_FIELD",
    "Record",
    "Records",
    "check_columns",
    "named_columns",
    "opening_of",
    "quoting_of",
    "read_table",
    "records_of",
    "understood",
]

Record = dict[str, str]
"""One row: Darwin Core term (or another column's name) -> value, empty values left out."""


class Records(list[Record]):
    """Records, with the `columns` of their source: a column may be empty in all of them."""

    def __init__(self, records: Iterable[Record], columns: Iterable[str]) -> None:
        super().__init__(records)
        self.columns = frozenset(columns)


_DELIMITERS = (",", "\t", ";", "|")
# Excel writes and reads it before the header.
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^"\r\n])"?[,;|\t]*\r?\n', re.IGNORECASE)
LONGEST_FIELD = 100_000_000
_VALUES_KEPT = 50_000
BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}


def read_table(path: Path, columns: Mapping[str, str], shown: str | None = None, *, joins: bool = True) -> Records:
    """All rows of a CSV or TSV file; `columns` as `read_records` takes them.

    Raises RecordError, also where nothing joins the records to photos, unless that is not wanted.
    """
    shown = shown or printable(str(path))
    text = _read_text(path, shown).lstrip("\r\n")
    if joins and not text.strip():
        raise RecordError(f"{shown} is empty; export the records again.")
    delimiter, begin = opening_of(text)
    text = text[begin:]
    csv.field_size_limit(LONGEST_FIELD)
    try:
        rows: Iterator[list[str]] = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting_of(text, delimiter), strict=True
        )
        names, rows = understood(rows, columns, shown)
        if joins:
            check_columns(names, shown)
        return Records(records_of(names, rows), filter(None, names))
    except csv.Error as error:
        raise RecordError(f"{shown} is not a readable CSV file ({error}); export it again as UTF-8 CSV.") from error


def opening_of(text: str) -> tuple[str, int]:
    """The delimiter of a table, from its beginning, and where in it the header begins."""
    blank = len(text) - len(text.lstrip("\r\n"))
    if said := _SEPARATOR_LINE.match(text, blank):
        return said[1].replace("\\t", "\t"), said.end()
    return max(_DELIMITERS, key=text[blank:].split("\n", 1)[0].count), blank


def understood(
    rows: Iterator[list[str]], columns: Mapping[str, str], shown: str
) -> tuple[list[str], Iterator[list[str]]]:
    """The terms of a table's columns, and the rows behind its header; an export of ours is read as it was written."""
    header = next(rows, [])
    names = named_columns(header, columns, shown)
    if is_own_export(header):
        return terms_of_export(header, names), unguarded_rows(header, rows)
    return names, rows


def named_columns(header: Sequence[str], columns: Mapping[str, str], shown: str) -> list[str]:
    """The terms of a header's columns. Raises RecordError if a column that `columns` names is not there."""
    bare = [column.strip().strip('"').lower() for column in header]
    names = [canonical_term(column) for column in header]
    for term, column in columns.items():
        wanted = column.strip().lower()
        if wanted not in bare:
            there = ", ".join(printable(name) for name in header)
            raise RecordError(f"{shown} has no column {printable(column)}; it has {there}.")
        # The column that had the term's name until now, if any, keeps its values under another.
        names = [f"verbatim {name}" if name == term else name for name in names]
        names[bare.index(wanted)] = term
    return names


def check_columns(names: Iterable[str], shown: str) -> None:
    """Raise RecordError unless one of the columns can join a record to a photo."""
    if not frozenset(JOINING_TERMS).intersection(names):
        raise RecordError(
            f"{shown} has no column that joins a record to a photo; it needs one of associatedMedia, catalogNumber, "
            "occurrenceID or fileName, or say which column it is: --map catalogNumber=COLUMN."
        )


def records_of(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Record]:
    """The records of rows, cleaned; rows without any value are left out."""
    # Most values occur again and again (countries, collectors, families): each is cleaned and kept once.
    seen: dict[str, str | None] = {}
    for row in rows:
        record: Record = {}
        for name, value in zip(names, row, strict=False):
            if value not in seen:
                if len(seen) >= _VALUES_KEPT:
                    seen.clear()
                seen[value] = clean(value)
            if name and (text := seen[value]):
                record[name] = text
        if record:
            yield record


def quoting_of(text: str, delimiter: str) -> Literal[0, 3]:
    """A tab-separated file (of GBIF, iNaturalist) quotes nothing unless a field both begins and ends with a quote."""
    is_quoted = delimiter != "\t" or re.search(r'(?m)(?:^|\t)"[^\t]*"(?=\t|\r?$)', text) is not None
    return csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE


def _read_text(path: Path, shown: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordError(f"{shown} is not a file; name a table or an archive of records.")
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"The record file {shown} cannot be read ({error.strerror}); check its path.") from error
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise RecordError(f"{shown} is not a text file; export the records as UTF-8 CSV.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
