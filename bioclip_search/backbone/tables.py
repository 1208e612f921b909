"""Rows of text tables and Parquet files, streamed; a row is picked down to the fields that are asked for."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from bioclip_search.backbone import container
from bioclip_search.errors import RecordError
from bioclip_search.text import printable

__all__ = ["Dialect", "Row", "headed_rows", "parquet_rows", "picker", "term", "text_rows"]

Row = tuple[str, ...]

_LONGEST_LINE = 1_000_000
_SAMPLE = 65_536
_DELIMITERS = ("\t", ",", ";", "|")
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
_ENCODINGS = frozenset(
    "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 ascii iso8859-1 iso8859-15 cp1250 cp1252 mac-roman".split()
)
_LARGEST_ROW_GROUP = 1024**3
_ROWS_AT_A_TIME = 8_192


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is written; delimiter and quote None are found from its beginning."""

    delimiter: str | None = None
    quote: str | None = None
    is_quoted: bool | None = None
    encoding: str = "utf-8"


def term(column: str) -> str:
    """The lower-case bare term of a column: “col:taxonID” and “http://rs.tdwg.org/dwc/terms/taxonID” -> “taxonid”."""
    return re.split(r"[/#:]", column.strip().strip('"'))[-1].strip().lower()


def text_rows(stream: BinaryIO, label: str, dialect: Dialect) -> Iterator[list[str]]:
    """All rows of a text table, those of its header too. Raises RecordError, csv.Error, UnicodeError."""
    sample = stream.peek(_SAMPLE)[:_SAMPLE]  # type: ignore[attr-defined]
    encoding = _encoding(sample, label, dialect.encoding)
    head = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    delimiter = dialect.delimiter or max(_DELIMITERS, key=head.lstrip("\r\n").partition("\n")[0].count)
    if len(delimiter) != 1 or delimiter in "\r\n":
        raise RecordError(f"{label} has fields ended by {delimiter!r}, which cannot be read; export it again as TSV.")
    lines = _lines(io.TextIOWrapper(stream, encoding=encoding, newline=""), label)
    is_quoted = _is_quoted(head, delimiter) if dialect.is_quoted is None else dialect.is_quoted
    if is_quoted:
        rows = csv.reader(lines, delimiter=delimiter, quotechar=dialect.quote or '"', strict=True)
    else:
        rows = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return iter(rows)


def _encoding(sample: bytes, label: str, declared: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if sample.startswith(mark):
            return encoding
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        name = ""
    if name not in _ENCODINGS:
        raise RecordError(f"{label} has the encoding “{printable(declared)}”; export it again as UTF-8.")
    if b"\0" in sample and not name.startswith(("utf-16", "utf-32")):
        raise RecordError(f"{label} is not a text file; export it again as UTF-8 text.")
    return name


def _lines(text: io.TextIOWrapper, label: str) -> Iterator[str]:
    with text:
        while line := text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise RecordError(
                    f"{label} has a line of more than {_LONGEST_LINE:,} characters; export it again as TSV."
                )
            yield line


def _is_quoted(head: str, delimiter: str) -> bool:
    """A tab-separated file quotes nothing unless a field both begins and ends with a quote (as darwin_core reads)."""
    return delimiter != "\t" or re.search(r'(?m)(?:^|\t)"[^\t"]*"(?=\t|\r?$)', head) is not None


def headed_rows(
    stream: BinaryIO, label: str, fields: Sequence[str], aliases: Mapping[str, str], needs: Sequence[Sequence[str]]
) -> Iterator[Row]:
    """The rows of a table whose first line names its columns, picked to `fields`.

    Of each group in `needs` one column must be there, else RecordError.
    """
    rows = text_rows(stream, label, Dialect())
    columns = next((row for row in rows if any(row)), [])
    pick = picker(_positions(columns, aliases), {}, fields, len(columns))
    _check_needs(label, columns, aliases, needs)
    return map(pick, filter(None, rows))


def _positions(columns: Iterable[str], aliases: Mapping[str, str]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for number, column in enumerate(columns):
        name = term(column)
        positions.setdefault(aliases.get(name, name), number)
    return positions


def _check_needs(
    label: str, columns: Iterable[str], aliases: Mapping[str, str], needs: Sequence[Sequence[str]]
) -> None:
    known = _positions(columns, aliases)
    for group in needs:
        if not any(name.lower() in known for name in group):
            raise RecordError(f"{label} has no column {' or '.join(group)}; name a file with Darwin Core columns.")


def picker(
    positions: Mapping[str, int], constants: Mapping[str, str], fields: Sequence[str], width: int
) -> Callable[[list[str]], Row]:
    """A function from a row of at least `width` cells (short ones are filled up) to the values of `fields`."""
    tail = ["", *constants.values()]
    places = {name: width + 1 + number for number, name in enumerate(constants)} | dict(positions)
    choose = itemgetter(*(places.get(field, width) for field in fields))

    def pick(row: list[str]) -> Row:
        missing = width - len(row)
        cells = row + [""] * missing if missing > 0 else row[:width]
        picked: Row = choose(cells + tail)
        return picked

    return pick


def parquet_rows(
    path: Path, fields: Sequence[str], aliases: Mapping[str, str], needs: Sequence[Sequence[str]]
) -> Iterator[Row]:
    """The rows of a Parquet file, picked to `fields`; only their columns are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        groups = [file.metadata.row_group(number).total_byte_size for number in range(file.metadata.num_row_groups)]
        if sum(groups) > container.MAX_BYTES or max(groups, default=0) > _LARGEST_ROW_GROUP:
            raise RecordError(f"{path} is larger than a taxonomy can be; write it again in groups of 100,000 rows.")
        names: list[str] = file.schema_arrow.names
        _check_needs(str(path), names, aliases, needs)
        wanted = {field: names[place] for field, place in _positions(names, aliases).items() if field in fields}
        pick = picker({field: number for number, field in enumerate(wanted)}, {}, fields, len(wanted))
        for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=list(wanted.values())):
            columns = [batch.column(batch.schema.get_field_index(name)).to_pylist() for name in wanted.values()]
            for row in zip(*columns, strict=True):
                yield pick(["" if cell is None else str(cell) for cell in row])
    except pa.ArrowException as error:
        raise RecordError(f"{path} is no readable Parquet file ({error}); write it again.") from error


def first_and_rest(rows: Iterator[list[str]]) -> tuple[list[str], Iterator[list[str]]]:
    """The first row, and all of them."""
    first = next(rows, [])
    return first, chain([first], rows)
