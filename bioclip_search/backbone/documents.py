"""What the documents of an archive say: meta.xml (tables and columns), eml.xml and metadata.yaml (title, version)."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

from bioclip_search.backbone.tables import Dialect, term
from bioclip_search.errors import RecordError
from bioclip_search.text import clean, printable

__all__ = ["Described", "Table", "meta_tables", "title_and_version", "yaml_title_and_version"]

_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\|": "|"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as meta.xml (http://rs.tdwg.org/dwc/text/) describes it; terms are bare and in lower case.

    `positions` holds the column of each term, and under “id” that which joins core and extension.
    """

    row_type: str
    files: tuple[str, ...]
    dialect: Dialect
    header_lines: int
    positions: dict[str, int]
    constants: dict[str, str]


@dataclass(frozen=True, slots=True)
class Described:
    """All tables of an archive, and the name of the document about it."""

    core: Table
    extensions: tuple[Table, ...]
    document: str | None


def _parse(data: bytes, label: str) -> ElementTree.Element:
    """The root of an XML document. A DOCTYPE is refused before anything is expanded."""

    def refuse(*_: object) -> None:
        raise RecordError(
            f"{label} has a DOCTYPE, which no such document needs; it may be made to do harm: download the archive "
            "again from its publisher."
        )

    check = expat.ParserCreate()
    check.StartDoctypeDeclHandler = refuse
    try:
        check.Parse(data, True)
        return ElementTree.fromstring(data)  # noqa: S314 (no DOCTYPE, hence no entities)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise RecordError(f"{label} is damaged ({error}); download the archive again.") from error


def meta_tables(data: bytes, label: str) -> Described:
    """Read meta.xml. Raises RecordError where it is damaged or describes no core."""
    root = _parse(data, label)
    tables = {kind: [_table(element, label) for element in root.iter() if _tag(element) == kind] for kind in _KINDS}
    if len(tables["core"]) != 1:
        raise RecordError(f"{label} describes {len(tables['core'])} cores instead of one; download the archive again.")
    return Described(tables["core"][0], tuple(tables["extension"]), root.get("metadata"))


_KINDS = ("core", "extension")


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _table(element: ElementTree.Element, label: str) -> Table:
    positions: dict[str, int] = {}
    constants: dict[str, str] = {}
    files: list[str] = []
    for part in element.iter():
        kind = _tag(part)
        if kind in ("id", "coreid"):
            positions["id"] = _index(part.get("index"), label)
        elif kind == "field" and part.get("index") is not None:
            positions[term(part.get("term") or "")] = _index(part.get("index"), label)
        elif kind == "field" and part.get("default") is not None:
            constants[term(part.get("term") or "")] = part.get("default") or ""
        elif kind == "location":
            files.append((part.text or "").strip().removeprefix("./"))
    quote = element.get("fieldsEnclosedBy")
    dialect = Dialect(
        delimiter=_unescape(element.get("fieldsTerminatedBy", ",")),
        quote=(quote or "")[:1] or None,
        is_quoted=None if quote is None else bool(quote),
        encoding=element.get("encoding", "utf-8"),
    )
    header_lines = _index(element.get("ignoreHeaderLines", "0"), label)
    return Table(term(element.get("rowType") or ""), tuple(files), dialect, header_lines, positions, constants)


def _unescape(text: str) -> str:
    return _ESCAPES.get(text, text)


def _index(text: str | None, label: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text or ""):
        shown = printable(text or "")
        raise RecordError(f"{label} gives “{shown}” as the number of a column or line; download the archive again.")
    return int(text or "")


def title_and_version(data: bytes, label: str) -> tuple[str | None, str | None]:
    """Title and version of a data set from its EML: the version of the package, else the date of publication."""
    root = _parse(data, label)
    found: dict[str, str | None] = {}
    for element in root.iter():
        found.setdefault(_tag(element), clean(element.text))
    package = re.search(r"/v([0-9][0-9.]*)$", root.get("packageId") or "")
    return found.get("title"), package[1] if package else found.get("pubDate")


def yaml_title_and_version(data: bytes) -> tuple[str | None, str | None]:
    """Title and version (else the date of issue) of a metadata.yaml: only its plain top-level lines are read."""
    found: dict[str, str | None] = {}
    for key, value in re.findall(r"(?m)^(title|version|issued):[ \t]*(\S.*?)[ \t\r]*$", data.decode(errors="replace")):
        found.setdefault(key, clean(value.strip("'\"")))
    return found.get("title"), found.get("version") or found.get("issued")
