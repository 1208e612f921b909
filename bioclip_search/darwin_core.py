"""Specimen records from CSV or TSV files whose columns are Darwin Core terms.

Terms are matched in any case, with or without the `dwc:` prefix or the full term address
(https://dwc.tdwg.org/terms/).
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bioclip_search.errors import RecordError
from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import clean

__all__ = ["Record", "read_records", "specimen_of", "term"]

Record = dict[str, str]
"""One row: lower-case Darwin Core term -> value, empty values left out."""

_ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")
_DELIMITERS = (",", "\t", ";", "|")
_JOINING_TERMS = {"associatedmedia", "catalognumber", "filename", "file", "identifier"}
_EPITHET = re.compile(r"[a-zß-öø-ÿ][a-zß-öø-ÿ-]+")
_GENUS = re.compile(r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ-]+")
_NO_EPITHET = {"sp", "spp", "cf", "aff", "nr", "indet", "gen", "nov", "ssp", "subsp", "var", "agg", "and", "et", "ex"}


def term(column: str) -> str:
    """The lower-case bare term of a column name: “dwc:catalogNumber” -> “catalognumber”."""
    return re.split(r"[/#:]", column.strip().strip('"'))[-1].strip().lower()


def read_records(path: Path) -> list[Record]:
    """Read all rows of a CSV or TSV file, delimiter and encoding detected.

    Raises RecordError when the file cannot be read or none of its columns can join a record to
    a photo.
    """
    text = _read_text(path)
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        columns = [term(column) for column in next(rows, [])]
        _check_columns(path, columns)
        return list(_records(columns, rows))
    except csv.Error as error:
        raise RecordError(f"{path} is not a readable CSV file ({error}); export it again as UTF-8 CSV.") from error


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"The record file {path} cannot be read ({error.strerror}); check --metadata.") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RecordError(f"The encoding of {path} is not known; export it again as UTF-8 CSV.")


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
    return rank not in above and name not in (record.get(wider) for wider in above)


def _plain_binomial(name: str | None) -> tuple[str | None, str | None]:
    """Genus and epithet of a plain binomial, (genus, None) for “Carabus sp.”, else (None, None)."""
    words = (name or "").split()
    if not words or not _GENUS.fullmatch(words[0]):
        return None, None
    if len(words) > 1 and _EPITHET.fullmatch(words[1]) and words[1] not in _NO_EPITHET:
        return words[0], words[1]
    # A single capitalised word may be of any rank; with a qualifier behind it, it is a genus.
    qualified = len(words) > 1 and words[1].rstrip(".").lower() in _NO_EPITHET
    return (words[0], None) if qualified else (None, None)
