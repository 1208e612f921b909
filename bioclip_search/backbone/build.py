"""Build the index of a taxonomy: read its rows into a scratch table, place every taxon, write names and taxa.

What is held in memory grows with the number of genera; a name costs 16 bytes. The index is written
aside and renamed, so that one that was there stays until the new one is whole.
"""

import csv
import lzma
import os
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bioclip_search.backbone.formats import open_source
from bioclip_search.backbone.info import APPLICATION_ID, SCHEMA_VERSION, BackboneInfo
from bioclip_search.backbone.placing import Placer
from bioclip_search.backbone.staging import OTHER_LANGUAGE, stage
from bioclip_search.errors import RecordError
from bioclip_search.text import clean

__all__ = ["build_backbone"]

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE lineage (id INTEGER PRIMARY KEY, kingdom, phylum, class, "order", family, genus);
CREATE TABLE taxon (id INTEGER PRIMARY KEY, taxon_id TEXT, rank TEXT, species TEXT, lineage INTEGER, common_name TEXT);
CREATE TABLE name (key TEXT, rest TEXT, taxon INTEGER, standing INTEGER, rank TEXT, written TEXT, authorship TEXT);
CREATE TABLE common (key TEXT, taxon INTEGER, name TEXT, weight INTEGER);
CREATE TABLE word (length INTEGER, word TEXT, PRIMARY KEY (length, word)) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX name_key ON name (key);
CREATE INDEX name_rest ON name (rest) WHERE rest IS NOT NULL;
CREATE INDEX common_key ON common (key);
"""
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
)
_FAST = (
    "PRAGMA {schema}journal_mode = OFF",
    "PRAGMA {schema}synchronous = OFF",
    "PRAGMA {schema}cache_size = -65536",
    "PRAGMA {schema}locking_mode = EXCLUSIVE",
)


def build_backbone(
    source: Path,
    target: Path,
    name: str | None = None,
    version: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> BackboneInfo:
    """Read the taxonomy at `source` and write its index to `target`, which is replaced when the new one is whole.

    `source` is a Darwin Core Archive or a ColDP (zip, tar.gz or folder), or a CSV, TSV or Parquet
    file with Darwin Core taxon columns. Name and version are the source's own where not given.
    `progress` is told the number of names read so far. Raises RecordError.
    """
    from filelock import FileLock

    if not source.exists():
        raise RecordError(f"There is no file at {source}; check its name.")
    aside, scratch = (target.with_name(f"{target.name}.{ending}") for ending in ("part", "scratch"))
    with _sentences(source, target), FileLock(f"{target}.lock", timeout=0):
        try:
            _remove(aside, scratch)
            info = _build(source, aside, scratch, (clean(name), clean(version)), progress)
            os.replace(aside, target)  # noqa: PTH105 (as os.path elsewhere)
        finally:
            _remove(aside, scratch)
    return info


@contextmanager
def _sentences(source: Path, target: Path) -> Iterator[None]:
    """What reading and writing raise, as RecordError."""
    from filelock import Timeout

    try:
        yield
    except Timeout as error:
        raise RecordError(f"Another process is just making {target}; wait until it is done.") from error
    except UnicodeError as error:
        raise RecordError(f"{source} holds text that is not in its encoding ({error}); get it as UTF-8.") from error
    except csv.Error as error:
        raise RecordError(f"{source} holds a table that cannot be read ({error}); export it again as TSV.") from error
    except sqlite3.Error as error:
        raise RecordError(f"The index {target} cannot be written ({error}); make room there, and try again.") from error
    except OSError as error:
        place = error.filename or source
        raise RecordError(f"{place} cannot be read or written ({error.strerror or error}); check it.") from error
    except _DAMAGE as error:
        raise RecordError(f"{source} is damaged ({error}); download it again.") from error


def _remove(*files: Path) -> None:
    for file in files:
        with suppress(FileNotFoundError):
            file.unlink()


def _build(
    source: Path,
    aside: Path,
    scratch: Path,
    given: tuple[str | None, str | None],
    progress: Callable[[int], None] | None,
) -> BackboneInfo:
    with open_source(source) as opened, closing(sqlite3.connect(aside, isolation_level=None)) as index:
        index.execute("ATTACH ? AS stage", (str(scratch),))
        for schema in ("main.", "stage."):
            for pragma in _FAST:
                index.execute(pragma.format(schema=schema))
        index.executescript(_SCHEMA)
        index.execute("BEGIN")
        staged = stage(index, opened, progress or (lambda _: None))
        if not staged.usages:
            raise RecordError(f"{source} holds no taxa; name the file of a taxonomy.")
        Placer(index, staged).place()
        _write_common_names(index)
        index.execute(_FILL_WORDS)
        for statement in filter(str.strip, _INDEXES.split(";")):
            index.execute(statement)
        info = _describe(index, given[0] or opened.name or _stem(source), given[1] or opened.version)
        index.execute("COMMIT")
        index.execute("DETACH stage")
        index.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        index.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    _flush(aside)
    return info


_FILL_WORDS = (
    "INSERT INTO word SELECT length(word), word FROM "
    "(SELECT DISTINCT substr(key, 1, instr(key || ' ', ' ') - 1) AS word FROM name WHERE key NOT LIKE '(%')"
)


def _write_common_names(index: sqlite3.Connection) -> None:
    """Names go to the accepted taxon; that which a taxon shows is the best English one, else one of no language."""
    index.execute(
        "INSERT INTO common SELECT v.key, p.taxon, v.name, v.weight FROM stage.vernacular v JOIN stage.place p ON "
        "p.id = coalesce(v.usage, (SELECT id FROM stage.usage WHERE alt = v.owner), "
        "(SELECT id FROM stage.usage WHERE key = v.owner)) "
        "WHERE p.taxon IS NOT NULL ORDER BY p.taxon, v.weight"
    )
    best = index.execute(
        "SELECT name, taxon, min(weight) FROM common WHERE weight < ? GROUP BY taxon", (OTHER_LANGUAGE,)
    ).fetchall()
    index.executemany("UPDATE taxon SET common_name = ? WHERE id = ?", ((name, taxon) for name, taxon, _ in best))


def _stem(source: Path) -> str:
    stem = source.name
    for ending in (".gz", ".tgz", ".tar", ".zip", ".tsv", ".csv", ".txt", ".parquet"):
        stem = stem.removesuffix(ending)
    return clean(stem) or "backbone"


def _describe(index: sqlite3.Connection, name: str, version: str | None) -> BackboneInfo:
    def count(what: str) -> int:
        return int(index.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608 (our own words)

    info = BackboneInfo(
        name=name,
        version=version,
        taxa=count("taxon WHERE taxon_id IS NOT NULL"),
        synonyms=count("name WHERE standing = 2"),
        common_names=count("common"),
        built=datetime.now(UTC),
    )
    rows = {field: getattr(info, field) for field in ("name", "version", "taxa", "synonyms", "common_names")}
    index.executemany("INSERT INTO meta VALUES (?, ?)", [*rows.items(), ("built", info.built.isoformat())])
    return info


def _flush(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
