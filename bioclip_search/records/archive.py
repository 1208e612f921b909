"""Records of a Darwin Core Archive, unpacked: occurrence core, with the files of its media extensions.

Darwin Core text guide, https://dwc.tdwg.org/text/ (2023). The meta.xml is understood by
python-dwca-reader; the tables are read here, with the csv module, which knows quoting and is fast.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioclip_search.errors import RecordError
from bioclip_search.records.table import Record, check_columns, named_columns, read_table, records_of
from bioclip_search.terms import canonical_term
from bioclip_search.text import clean, printable

__all__ = ["read_archive"]

_MEDIA = "Multimedia"  # of Simple Multimedia and of Audiovisual Core
_MEDIA_COLUMNS = ("accessURI", "identifier", "title")
_TABLES = (".csv", ".tsv", ".txt")
_ID = "\0id"
_LONGEST_FIELD = 100_000_000


def read_archive(folder: Path, columns: Mapping[str, str], shown: str | None = None) -> list[Record]:
    """The records of an archive that lies in a folder; `shown` is how its errors name it. Raises RecordError."""
    shown = shown or printable(str(folder))
    inner = _with_meta(folder)
    if inner is None:
        return read_table(_only_table(folder, shown), columns)
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
    records = []
    for identity, record in _rows(inner, core, columns, shown):
        if "associatedMedia" not in record and (files := media.get(identity)):
            record["associatedMedia"] = " | ".join(files)
        records.append(record)
    check_columns({name for record in records[:1_000] for name in record}, shown)
    return records


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
        return ArchiveDescriptor(text)
    except Exception as error:
        # The library lets AttributeError, KeyError, ParseError … escape for what is not as the guide wants it.
        reason = f"{type(error).__name__}: {error}"
        raise RecordError(f"The meta.xml of {shown} is not understood ({reason}); export the archive again.") from error


def _rows(folder: Path, table: Any, columns: Mapping[str, str], shown: str) -> Iterator[tuple[str, Record]]:
    """The rows of one file of an archive, each with the id that joins core and extension."""
    location = str(table.file_location)
    path = folder / location
    if Path(location).name != location or not path.is_file():
        raise RecordError(f"{shown} lacks its file {printable(location)}; export the archive again.")
    names, constants, needed = _columns_of(table)
    identity = _id_column(table, names)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding=str(table.file_encoding or "utf-8"), newline="") as stream:
            for _ in range(int(table.lines_to_ignore)):
                header = stream.readline()
                if len(header.split(table.fields_terminated_by)) < needed:
                    raise RecordError(
                        f"The meta.xml of {shown} names column {needed} of {printable(location)}, which has fewer; "
                        "export the archive again."
                    )
            if columns:
                names = named_columns(names, columns, shown)
            for record in records_of(names, csv.reader(stream, **_dialect(table))):
                yield record.get(identity, ""), {**constants, **{name: record[name] for name in record if name != _ID}}
    except (UnicodeError, LookupError) as error:
        raise RecordError(
            f"{printable(location)} of {shown} is not in the encoding that its meta.xml says ({error}); "
            "export the archive again."
        ) from error
    except csv.Error as error:
        raise RecordError(f"{printable(location)} of {shown} is not a readable table ({error}).") from error


def _columns_of(table: Any) -> tuple[list[str], Record, int]:
    """The term of every column, the values that meta.xml gives for all rows, and the number of columns needed."""
    places = {
        int(field["index"]): canonical_term(str(field["term"])) for field in table.fields if field["index"] is not None
    }
    constants = {
        canonical_term(str(field["term"])): value
        for field in table.fields
        if field["default"] is not None and (value := clean(str(field["default"])))
    }
    own = _id_index(table)
    needed = max([*places, own]) + 1
    names = [places.get(place, "") for place in range(needed)]
    names[own] = names[own] or _ID
    return names, constants, needed


def _id_index(table: Any) -> int:
    return int(table.id_index if table.id_index is not None else table.coreid_index or 0)


def _id_column(table: Any, names: list[str]) -> str:
    """The id is often a term of its own too, such as occurrenceID."""
    return names[_id_index(table)]


def _dialect(table: Any) -> dict[str, Any]:
    quote = str(table.fields_enclosed_by or "")
    return {
        "delimiter": str(table.fields_terminated_by),
        "quotechar": quote or None,
        "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    }
