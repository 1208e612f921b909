"""Recognise a taxonomy file and read it: Darwin Core Archive, ColDP, a table of text, Parquet.

Darwin Core text guide: https://dwc.tdwg.org/text/; ColDP: https://github.com/CatalogueOfLife/coldp.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from bioclip_search.backbone.container import Container, is_archive
from bioclip_search.backbone.documents import Described, Table, meta_tables, title_and_version, yaml_title_and_version
from bioclip_search.backbone.tables import (
    Row,
    first_and_rest,
    headed_rows,
    parquet_rows,
    picker,
    text_rows,
)
from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import RANKS, Rank
from bioclip_search.text import printable

__all__ = ["CLASSIFICATION", "COMMON_NAME", "USAGE", "Source", "open_source"]

CLASSIFICATION = tuple(rank.value for rank in RANKS if rank is not Rank.SPECIES)
"""The columns of wider ranks, kingdom to genus."""

USAGE = tuple(
    "id taxonid parentnameusageid acceptednameusageid taxonomicstatus taxonrank scientificname canonicalname "
    "genericname specificepithet infraspecificepithet infragenericepithet scientificnameauthorship vernacularname "
    "language".split()
) + tuple(CLASSIFICATION)
"""The fields of a name usage, in the order of its row."""

COMMON_NAME = ("id", "vernacularname", "language", "ispreferredname")
"""The fields of a common name, in the order of its row."""

_ALIASES = {
    "parentid": "parentnameusageid",
    "acceptedid": "acceptednameusageid",
    "status": "taxonomicstatus",
    "rank": "taxonrank",
    "authorship": "scientificnameauthorship",
    "uninomial": "canonicalname",
}
_COLDP_NAME_ALIASES = {**_ALIASES, "genus": "genericname"}
_COMMON_NAME_ALIASES = {"taxonid": "id", "name": "vernacularname", "preferred": "ispreferredname"}
_NAME_COLUMNS = (("scientificName", "canonicalName", "genericName", "genus"),)
_TABLE_ENDINGS = (".tsv", ".csv", ".txt", ".tab")
_NAME_PART = slice(USAGE.index("taxonrank"), USAGE.index("vernacularname"))
"""The fields that belong to a name and not to its use."""


@dataclass(frozen=True, slots=True)
class Source:
    """A taxonomy being read: rows of `USAGE`, then rows of `COMMON_NAME`; what it says of itself."""

    usages: Iterable[Row]
    common_names: Iterable[Row]
    name: str | None = None
    version: str | None = None
    has_synonyms_below_parents: bool = False
    """In ColDP the parent of a synonym is its accepted taxon."""


def open_source(path: Path) -> AbstractContextManager[Source]:
    """Open a taxonomy, whatever its format. Raises RecordError where it is none."""
    return _open_archive(path) if is_archive(path) else _open_file(path)


@contextmanager
def _open_file(path: Path) -> Iterator[Source]:
    with path.open("rb") as stream:
        is_parquet = stream.read(4) == b"PAR1"
    if is_parquet:
        yield Source(parquet_rows(path, USAGE, _ALIASES, _NAME_COLUMNS), ())
        return
    with path.open("rb") as stream:
        yield Source(headed_rows(stream, str(path), USAGE, _ALIASES, _NAME_COLUMNS), ())


@contextmanager
def _open_archive(path: Path) -> Iterator[Source]:
    with Container(path) as container, closing(sqlite3.connect("")) as scratch:
        base = _base(container)
        tables = {_plain(name.removeprefix(base)): name for name in container.names if _is_table(name, base)}
        if f"{base}meta.xml" in container.names:
            yield _darwin_core_archive(container, base)
        elif "nameusage" in tables or {"name", "taxon"} <= tables.keys():
            yield _coldp(container, base, tables, scratch)
        else:
            yield _loose_tables(container, tables)


def _base(container: Container) -> str:
    """The folder in the archive that holds its tables: that of meta.xml or of the first table."""
    known = [name for name in container.names if name.rpartition("/")[2] in ("meta.xml", "metadata.yaml")]
    tables = known or [name for name in container.names if name.lower().endswith(_TABLE_ENDINGS)]
    name = min(tables, key=lambda name: (name.count("/"), name), default="")
    return name[: name.rfind("/") + 1]


def _is_table(name: str, base: str) -> bool:
    inner = name.removeprefix(base)
    return name.startswith(base) and "/" not in inner and inner.lower().endswith(_TABLE_ENDINGS)


def _plain(name: str) -> str:
    """“name-usage.csv” and “NameUsage.tsv” are one table of ColDP."""
    return re.sub(r"[-_ ]", "", name.rpartition(".")[0]).lower()


def _darwin_core_archive(container: Container, base: str) -> Source:
    described = meta_tables(container.read(f"{base}meta.xml"), f"meta.xml of {container.path}")
    core = described.core
    if core.row_type not in ("taxon", ""):
        raise RecordError(
            f"{container.path} is an archive of {printable(core.row_type)} records, not of taxa; name one with a "
            "Taxon core, such as that of GBIF, Catalogue of Life or iNaturalist."
        )
    if not {"scientificname", "canonicalname", "genericname", "genus"} & core.positions.keys():
        raise RecordError(f"meta.xml of {container.path} names no column scientificName; download the archive again.")
    extensions = [table for table in described.extensions if table.row_type == "vernacularname"]
    name, version = _about(container, base, described)
    common_names = chain.from_iterable(_described_rows(container, base, table, COMMON_NAME) for table in extensions)
    return Source(_described_rows(container, base, core, USAGE), common_names, name, version)


def _described_rows(container: Container, base: str, table: Table, fields: tuple[str, ...]) -> Iterator[Row]:
    for file in table.files:
        name, label = base + file, f"{printable(file)} in {container.path}"
        if name not in container.names:
            raise RecordError(
                f"meta.xml of {container.path} names {printable(file)}, which is not there; get it again."
            )
        with container.open(name) as stream:
            rows = text_rows(stream, label, table.dialect)
            first, rest = first_and_rest(rows)
            last = max(table.positions.values(), default=0)
            if first and last >= len(first):
                raise RecordError(
                    f"meta.xml of {container.path} names column {last} of {printable(file)}, which has {len(first)} "
                    "columns (counted from 0); download the archive again."
                )
            pick = picker(table.positions, table.constants, fields, len(first))
            yield from map(pick, filter(None, islice(rest, table.header_lines, None)))


def _about(container: Container, base: str, described: Described) -> tuple[str | None, str | None]:
    for name in (described.document, "eml.xml"):
        if name and base + name in container.names:
            return title_and_version(container.read(base + name), f"{printable(name)} of {container.path}")
    return None, None


def _coldp(container: Container, base: str, tables: dict[str, str], scratch: sqlite3.Connection) -> Source:
    name, version = None, None
    if f"{base}metadata.yaml" in container.names:
        name, version = yaml_title_and_version(container.read(f"{base}metadata.yaml"))
    whole = "nameusage" in tables
    usages = (
        _headed(container, tables["nameusage"], USAGE, _ALIASES, (("ID",), ("scientificName",)))
        if whole
        else _joined_usages(container, tables, scratch)
    )
    common_names = _common_names(container, tables)
    return Source(usages, common_names, name, version, has_synonyms_below_parents=whole)


def _headed(
    container: Container,
    name: str,
    fields: tuple[str, ...],
    aliases: dict[str, str],
    needs: tuple[tuple[str, ...], ...] = (),
) -> Iterator[Row]:
    with container.open(name) as stream:
        yield from headed_rows(stream, f"{printable(name)} in {container.path}", fields, aliases, needs)


def _common_names(container: Container, tables: dict[str, str]) -> Iterator[Row]:
    for plain, name in tables.items():
        if plain.startswith("vernacularname"):
            yield from _headed(container, name, COMMON_NAME, _COMMON_NAME_ALIASES)


def _joined_usages(container: Container, tables: dict[str, str], scratch: sqlite3.Connection) -> Iterator[Row]:
    """The usages of a ColDP that keeps names (Name) apart from their uses (Taxon, Synonym)."""
    fields = USAGE[_NAME_PART]
    marks = ", ".join("?" * (1 + len(fields)))
    scratch.execute(f"CREATE TABLE name (id TEXT PRIMARY KEY, {', '.join(fields)}) WITHOUT ROWID")
    names = _headed(container, tables["name"], ("id", *fields), _COLDP_NAME_ALIASES, (("ID",), ("scientificName",)))
    scratch.executemany(f"INSERT OR IGNORE INTO name VALUES ({marks})", names)  # noqa: S608 (a row of “?”)
    before, after = USAGE[: _NAME_PART.start], USAGE[_NAME_PART.stop :]
    blank = ("",) * len(fields)

    def named(name_id: str) -> Row:
        found: Row | None = scratch.execute("SELECT * FROM name WHERE id = ?", (name_id,)).fetchone()
        return found[1:] if found else blank

    taxa = _headed(container, tables["taxon"], (*before, "nameid", *after), _ALIASES, (("ID",), ("nameID",)))
    for row in taxa:
        yield row[: len(before)] + named(row[len(before)]) + row[len(before) + 1 :]
    if "synonym" not in tables:
        return
    rest = ("",) * len(after)
    for name_id, taxon, status in _headed(
        container, tables["synonym"], ("nameid", "taxonid", "taxonomicstatus"), _ALIASES, (("nameID",), ("taxonID",))
    ):
        yield ("", "", "", taxon, status or "synonym", *named(name_id), *rest)


def _loose_tables(container: Container, tables: dict[str, str]) -> Source:
    """An archive without meta.xml, whose table of taxa is known by its name."""
    for plain in ("taxon", "taxa", "taxonomy"):
        if plain in tables:
            usages = _headed(container, tables[plain], USAGE, _ALIASES, _NAME_COLUMNS)
            return Source(usages, _common_names(container, tables))
    raise RecordError(
        f"{container.path} holds no taxonomy: neither meta.xml (Darwin Core Archive) nor NameUsage.tsv (ColDP) nor "
        "Taxon.tsv is in it; name the archive as its publisher offers it."
    )
