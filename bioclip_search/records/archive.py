"""Records of a Darwin Core Archive, unpacked: occurrence core, with the files of its media extensions.

Darwin Core text guide, https://dwc.tdwg.org/text/ (2023). The meta.xml is understood by
python-dwca-reader; the tables are read here, with the csv module, which knows quoting and is fast.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO
from xml.etree import ElementTree

from bioclip_search.errors import RecordError
from bioclip_search.records.table import (
    LONGEST_FIELD,
    Record,
    Records,
    check_columns,
    named_columns,
    read_table,
    records_of,
)
from bioclip_search.terms import MULTIMEDIA, canonical_term
from bioclip_search.text import clean, printable

__all__ = ["read_archive"]

_MEDIA = "Multimedia"  # of Simple Multimedia and of Audiovisual Core
_MEDIA_COLUMNS = ("accessURI", "identifier", "title")
_TABLES = (".csv", ".tsv", ".txt")
_DEFAULTS = {
    "encoding": "UTF-8",
    "fieldsTerminatedBy": ",",
    "linesTerminatedBy": "\\n",
    "fieldsEnclosedBy": '"',
    "ignoreHeaderLines": "0",
}
_ID = "\0id"
_MOST_COLUMNS = 10_000


def read_archive(folder: Path, columns: Mapping[str, str], shown: str | None = None) -> Records:
    """The records of an archive that lies in a folder; `shown` is how its errors name it. Raises RecordError."""
    shown = shown or printable(str(folder))
    inner = _with_meta(folder)
    if inner is None:
        return read_table(_only_table(folder, shown), columns, shown)
    descriptor = _descriptor(inner / "meta.xml", shown)
    core = descriptor.core
    kind = str(core.type).rsplit("/", 1)[-1]
    if kind != "Occurrence":
        raise RecordError(f"The core of {shown} is {printable(kind)}; records of specimens have the core Occurrence.")
    media: dict[str, list[str]] = defaultdict(list)
    for extension in descriptor.extensions:
        if str(extension.type).rsplit("/", 1)[-1] == _MEDIA:
            for identity, row in _rows(inner, extension, {}, shown):
                if name := next((row[column] for column in _MEDIA_COLUMNS if column in row), None):
                    media[identity].append(name)
    records: list[Record] = []
    for identity, record in _rows(inner, core, columns, shown):
        if files := media.get(identity):
            record[MULTIMEDIA] = " | ".join(files)
        records.append(record)
    names, constants = _columns_of(core)
    told = {
        *(named_columns(names, columns, shown) if columns else names),
        *constants,
        *([MULTIMEDIA] if media else []),
    }
    check_columns(told, shown)
    return Records(records, told - {"", _ID})


def _with_meta(folder: Path) -> Path | None:
    """The folder of the meta.xml: this one, or the only one in it."""
    if (folder / "meta.xml").is_file():
        return folder
    inner = [entry for entry in folder.iterdir() if entry.is_dir() and (entry / "meta.xml").is_file()]
    return inner[0] if len(inner) == 1 else None


def _only_table(folder: Path, shown: str) -> Path:
    tables = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _TABLES and path.is_file())
    if len(tables) == 1:
        return tables[0]
    found = ", ".join(printable(table.name) for table in tables[:5]) or "no table"
    raise RecordError(f"{shown} has no meta.xml and holds {found}; name the one file of its occurrences instead.")


def _descriptor(meta: Path, shown: str) -> Any:
    from dwca.descriptors import ArchiveDescriptor

    try:
        text = meta.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"The meta.xml of {shown} cannot be read ({error}); export the archive again.") from error
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise RecordError(
            f"The meta.xml of {shown} declares entities, which no archive of records needs; it is refused."
        )
    try:
        return ArchiveDescriptor(_with_defaults(text))
    except Exception as error:
        # The library lets AttributeError, KeyError, ParseError … escape for what is not as the guide wants it.
        reason = f"{type(error).__name__}: {error}"
        raise RecordError(f"The meta.xml of {shown} is not understood ({reason}); export the archive again.") from error


def _with_defaults(text: str) -> str:
    """A meta.xml with all that the text guide lets it leave out; python-dwca-reader has other defaults, or none."""
    root = ElementTree.fromstring(text)  # noqa: S314 (no DOCTYPE, hence no entities)
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    for table in (*root.iter("core"), *root.iter("extension")):
        table.attrib.update({**_DEFAULTS, **table.attrib})
        # A core without extensions needs no id; its first column will do.
        if table.tag == "core" and table.find("id") is None:
            ElementTree.SubElement(table, "id", index="0")
    return ElementTree.tostring(root, encoding="unicode")


def _rows(folder: Path, table: Any, columns: Mapping[str, str], shown: str) -> Iterator[tuple[str, Record]]:
    """The rows of one file of an archive, each with the id that joins core and extension."""
    location = str(table.file_location)
    path = folder / location
    if Path(location).name != location or not path.is_file():
        raise RecordError(f"{shown} lacks its file {printable(location)}; export the archive again.")
    csv.field_size_limit(LONGEST_FIELD)
    try:
        names, constants = _columns_of(table)
        with path.open(encoding=str(table.file_encoding or "utf-8"), newline="") as stream:
            header = _skip_header(stream, int(table.lines_to_ignore))
            if header and len(header.split(str(table.fields_terminated_by))) < len(names):
                raise RecordError(
                    f"The meta.xml of {shown} names column {len(names)} of {printable(location)}, which has fewer; "
                    "export the archive again."
                )
            if columns:
                names = named_columns(names, columns, shown)
            # The id is often a term of its own too, such as occurrenceID.
            identity = names[_id_index(table)]
            for record in records_of(names, csv.reader(stream, **_dialect(table))):
                yield record.get(identity, ""), {**constants, **{name: record[name] for name in record if name != _ID}}
    except (UnicodeError, LookupError) as error:
        raise RecordError(
            f"{printable(location)} of {shown} is not in the encoding that its meta.xml says ({error}); "
            "export the archive again."
        ) from error
    except (csv.Error, TypeError, ValueError) as error:
        raise RecordError(
            f"{printable(location)} of {shown} is not a table as its meta.xml says ({error}); export the archive again."
        ) from error


def _skip_header(stream: TextIO, lines: int) -> str:
    """Pass over the first lines; returns the last of them."""
    header = ""
    for _ in range(lines):
        header = stream.readline()
        if not header:
            break
    return header


def _columns_of(table: Any) -> tuple[list[str], Record]:
    """The term of every column, and the values that meta.xml gives for all rows."""
    places = {
        int(field["index"]): canonical_term(str(field["term"])) for field in table.fields if field["index"] is not None
    }
    constants = {
        canonical_term(str(field["term"])): value
        for field in table.fields
        if field["default"] is not None and (value := clean(str(field["default"])))
    }
    own = _id_index(table)
    last = max([*places, own])
    if not 0 <= min([*places, own]) <= last < _MOST_COLUMNS:
        raise ValueError(f"there can be no column {last}")
    names = [places.get(place, "") for place in range(last + 1)]
    names[own] = names[own] or _ID
    return names, constants


def _id_index(table: Any) -> int:
    return int(table.id_index if table.id_index is not None else table.coreid_index or 0)


def _dialect(table: Any) -> dict[str, Any]:
    quote = str(table.fields_enclosed_by or "")
    return {
        "delimiter": str(table.fields_terminated_by),
        "quotechar": quote or None,
        "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    }
