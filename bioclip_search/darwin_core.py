"""Specimen records from CSV or TSV files whose columns are Darwin Core terms.

Terms are matched in any case, with or without the `dwc:` prefix or the full term address
(https://dwc.tdwg.org/terms/).
"""

import csv
import io
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from bioclip_search.errors import RecordError
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import clean

__all__ = ["FILE_TERMS", "Record", "is_epithet", "read_records", "specimen_of", "term"]

Record = dict[str, str]
"""One row: lower-case Darwin Core term -> value, empty values left out."""

_DELIMITERS = (",", "\t", ";", "|")
_LONGEST_FIELD = 100_000_000
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}

FILE_TERMS = ("associatedmedia", "filename", "file", "identifier")
"""Terms that name the files of a record."""

_JOINING_TERMS = {*FILE_TERMS, "catalognumber"}
_EPITHET = re.compile(r"[a-zß-öø-ÿ][a-zß-öø-ÿ-]+")
_GENUS = re.compile(r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ-]+")
_OPEN_NOMENCLATURE = {"sp", "spp", "cf", "aff", "nr", "ssp", "subsp", "var", "agg", "nov"}
_UNDETERMINED = {"indet", "undet", "gen", "spec", "species", "genus", "unidentified", "unknown", "undetermined"}
_AUTHOR_WORDS = frozenset("and et ex de da di du do des del della den der van von vom zu zur la le les af".split())
_ABOVE_GENUS = (
    "idae",
    "inae",
    "oidea",
    "ini",
    "aceae",
    "ales",
    "oideae",
    "formes",
    "morpha",
    "ptera",
    "phyta",
    "mycetes",
)
_GENUS_RANKS = {"genus", "subgenus", "species", "subspecies", "variety", "form"}


def term(column: str) -> str:
    """The lower-case bare term of a column name: “dwc:catalogNumber” -> “catalognumber”."""
    return re.split(r"[/#:]", column.strip().strip('"'))[-1].strip().lower()


def read_records(path: Path) -> list[Record]:
    """Read all rows of a CSV or TSV file, delimiter, quoting and encoding detected.

    Raises RecordError when the file cannot be read or none of its columns can join a record to
    a photo.
    """
    text = _read_text(path).lstrip("\r\n")
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        rows = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, quoting=_quoting(text, delimiter), strict=True
        )
        columns = [term(column) for column in next(rows, [])]
        _check_columns(path, columns)
        return list(_records(columns, rows))
    except csv.Error as error:
        raise RecordError(f"{path} is not a readable CSV file ({error}); export it again as UTF-8 CSV.") from error


def _quoting(text: str, delimiter: str) -> Literal[0, 3]:
    """A tab-separated file (of GBIF, iNaturalist) quotes nothing unless a field both begins and ends with a quote."""
    is_quoted = delimiter != "\t" or re.search(r'(?m)(?:^|\t)"[^\t]*"(?=\t|\r?$)', text) is not None
    return csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE


def _read_text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordError(f"{path} is not a file; check --metadata.")
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"The record file {path} cannot be read ({error.strerror}); check --metadata.") from error
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise RecordError(f"{path} is not a text file; export the records as UTF-8 CSV.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _check_columns(path: Path, columns: list[str]) -> None:
    if not _JOINING_TERMS.intersection(columns):
        raise RecordError(
            f"{path} has no column that joins a record to a photo; it needs one of associatedMedia, catalogNumber "
            "or fileName in its first line."
        )


def _records(columns: list[str], rows: Iterator[list[str]]) -> Iterator[Record]:
    for row in rows:
        pairs = ((name, clean(value)) for name, value in zip(columns, row, strict=False))
        record = {name: value for name, value in pairs if name and value}
        if record:
            yield record


def specimen_of(record: Mapping[str, str]) -> Specimen:
    """The specimen that a record describes.

    Ranks come from their own columns. A genus or species that has none is read from
    scientificName only where that plainly starts with a genus or a binomial.
    """
    names: dict[str, str | None] = dict(record)
    verbatim = record.get("scientificname")
    genus, epithet = _plain_binomial(verbatim)
    if not names.get("genus") and _may_hold_genus(record):
        names["genus"] = genus
    if not (names.get("specificepithet") or names.get("species")) and genus == names.get("genus"):
        names["specificepithet"] = epithet
    return Specimen(
        taxon=Taxon.from_ranks(names),
        scientific_name=verbatim,
        catalog_number=record.get("catalognumber"),
        occurrence_id=record.get("occurrenceid"),
    )


def _may_hold_genus(record: Mapping[str, str]) -> bool:
    """False when the record says that its name belongs to a rank above the genus."""
    rank = record.get("taxonrank", "").lower()
    name = record.get("scientificname", "").split(" ", 1)[0]
    above = ("kingdom", "phylum", "class", "order", "family")
    return (not rank or rank in _GENUS_RANKS) and name not in (record.get(wider) for wider in above)


def is_epithet(word: str) -> bool:
    """Whether a word can be a specific epithet, and is none of those that say that there is none."""
    return bool(_EPITHET.fullmatch(word)) and word not in _OPEN_NOMENCLATURE | _UNDETERMINED | _AUTHOR_WORDS


def _plain_binomial(name: str | None) -> tuple[str | None, str | None]:
    """Genus and epithet of a plain binomial, (genus, None) for “Carabus sp.”, else (None, None)."""
    words = (name or "").split()
    if len(words) < 2 or not _GENUS.fullmatch(words[0]) or words[0].endswith(_ABOVE_GENUS):
        return None, None
    if is_epithet(words[1]):
        return words[0], words[1]
    # A single capitalised word may be of any rank; before “sp.” it is a genus, before “indet.” it need not be.
    return (words[0], None) if words[1].rstrip(".").lower() in _OPEN_NOMENCLATURE else (None, None)
