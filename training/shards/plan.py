"""The plan of a folder of shards: every photo, its split and its place, in a database beside the shards.

It is on disk, so that memory does not grow with the photos; it is made aside and renamed, so that it is
whole or not there; and it knows which shards are finished, so that a killed run goes on where it was.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bioclip_search.taxonomy import Taxon
from training.shards.manifest import Shard, Split
from training.shards.sample import SourcePhoto, names_of
from training.shards.species import species_key
from training.shards.split import ORDER, TRAIN, UNSEEN, VAL, draw, share_for_validation

__all__ = ["PLAN", "Dealt", "Finished", "Planned", "Plan", "Problem", "make_plan"]

PLAN = ".plan.sqlite"

_ROWS_AT_ONCE = 1_000
_TAXA_KEPT = 20_000
_CACHE_KIB = 32 * 1024
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE taxa (id INTEGER PRIMARY KEY, names TEXT UNIQUE, lineage TEXT, species TEXT);
CREATE TABLE photos (
    id INTEGER PRIMARY KEY, file TEXT UNIQUE, name TEXT, taxon INTEGER, scientific_name TEXT,
    specimen TEXT, source TEXT, captions TEXT, place INTEGER
);
CREATE TABLE specimens (specimen TEXT PRIMARY KEY, split TEXT) WITHOUT ROWID;
CREATE TABLE samples (key INTEGER PRIMARY KEY, photo INTEGER, split TEXT);
CREATE TABLE shards (
    name TEXT PRIMARY KEY, split TEXT, first INTEGER, last INTEGER, samples INTEGER, bytes INTEGER, sha256 TEXT
);
CREATE TABLE problems (key INTEGER PRIMARY KEY, file TEXT, reason TEXT);
CREATE TABLE contents (hash BLOB PRIMARY KEY, split TEXT) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Dealt:
    """How photos are dealt to splits: the seed, the share for validation, species (by their keys) to keep unseen."""

    seed: int = 0
    val: float = 0.05
    unseen: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A photo in its place: `key` is unique in the folder, `names` are those of its taxon."""

    key: int
    file: str
    names: Mapping[str, str]
    scientific_name: str | None
    specimen: str
    source: str
    captions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A photo that is left out, and why."""

    key: int
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A shard that was written, of the planned photos from key `first` to key `last`."""

    shard: Shard
    split: str
    first: int
    last: int


def make_plan(
    folder: Path,
    photos: Iterable[SourcePhoto],
    dealt: Dealt,
    meta: Callable[[], Mapping[str, Any]],
    tell: Callable[[int], None],
) -> None:
    """Read all photos once, deal them, and leave the plan in the folder.

    `meta` is asked at the end for what is to be kept with it, by name; `tell` hears how many photos were read.
    """
    aside = folder / f"{PLAN}.part"
    aside.unlink(missing_ok=True)
    with closing(sqlite3.connect(aside, isolation_level=None)) as database:
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES} BEGIN;")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.create_function("draw", -1, lambda *words: draw(dealt.seed, *words), deterministic=True)
        _take(database, photos, tell)
        _deal(database, dealt)
        _place(database)
        kept = ((name, json.dumps(value)) for name, value in meta().items())
        database.executemany("INSERT INTO meta VALUES (?, ?)", kept)
        database.execute("COMMIT")
    aside.replace(folder / PLAN)


def _take(database: sqlite3.Connection, photos: Iterable[SourcePhoto], tell: Callable[[int], None]) -> None:
    taxa: dict[Taxon, int] = {}
    for number, photo in enumerate(photos, 1):
        if photo.taxon not in taxa:
            if len(taxa) >= _TAXA_KEPT:
                taxa.clear()
            taxa[photo.taxon] = _taxon_id(database, photo.taxon)
        # A file that is offered twice is taken once.
        database.execute(
            "INSERT OR IGNORE INTO photos (file, name, taxon, scientific_name, specimen, source, captions, place) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, draw('place', ?2, ?5))",
            (
                *(photo.file, photo.name, taxa[photo.taxon], photo.scientific_name, photo.specimen, photo.source),
                json.dumps(photo.captions, ensure_ascii=False) if photo.captions else None,
            ),
        )
        tell(number)


def _taxon_id(database: sqlite3.Connection, taxon: Taxon) -> int:
    names = json.dumps(names_of(taxon), ensure_ascii=False)
    row = (names, taxon.tagged, species_key(taxon.species or ""))
    database.execute("INSERT OR IGNORE INTO taxa (names, lineage, species) VALUES (?, ?, ?)", row)
    (number,) = database.execute("SELECT id FROM taxa WHERE names = ?", (names,)).fetchone()
    return int(number)


def _deal(database: sqlite3.Connection, dealt: Dealt) -> None:
    """Give every specimen a split."""
    database.execute("CREATE INDEX photos_specimen ON photos (specimen)")
    database.execute("CREATE TEMP TABLE kept (species TEXT PRIMARY KEY)")
    database.executemany("INSERT INTO kept VALUES (?)", ((name,) for name in sorted(dealt.unseen or ())))
    database.execute(
        "INSERT INTO specimens SELECT DISTINCT specimen, ? FROM photos JOIN taxa ON taxa.id = taxon "
        "WHERE species IN (SELECT species FROM kept)",
        (UNSEEN,),
    )
    # A specimen whose photos name two taxa counts for the first of them in the alphabet.
    database.execute(
        "CREATE TEMP TABLE strata AS SELECT MIN(lineage) AS stratum, specimen, draw('specimen', specimen) AS drawn "
        "FROM photos JOIN taxa ON taxa.id = taxon "
        "WHERE specimen NOT IN (SELECT specimen FROM specimens) GROUP BY specimen"
    )
    rows = database.execute(
        "SELECT stratum, specimen, COUNT(*) OVER (PARTITION BY stratum) FROM strata ORDER BY stratum, drawn, specimen"
    )
    for stratum, members in groupby(rows, key=lambda row: row[0]):
        for number, (_, specimen, count) in enumerate(members):
            wanted = share_for_validation(count, dealt.val, draw(dealt.seed, "taxon", stratum))
            database.execute("INSERT INTO specimens VALUES (?, ?)", (specimen, VAL if number < wanted else TRAIN))


def _place(database: sqlite3.Connection) -> None:
    """Give every photo its key: split by split, and within a split in drawn order."""
    for split in ORDER:
        (first,) = database.execute("SELECT COUNT(*) FROM samples").fetchone()
        database.execute(
            "INSERT INTO samples SELECT ? - 1 + row_number() OVER (ORDER BY place, name, specimen, file), id, ? "
            "FROM photos JOIN specimens USING (specimen) WHERE split = ?",
            (first, split, split),
        )
    database.execute("CREATE INDEX samples_split ON samples (split, key)")


class Plan:
    """An open plan. It is for one thread."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / PLAN, isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

    def close(self) -> None:
        self._database.close()

    @property
    def meta(self) -> dict[str, Any]:
        """What the plan was made with, by name."""
        return {name: json.loads(value) for name, value in self._database.execute("SELECT name, value FROM meta")}

    def count(self) -> int:
        """Number of planned photos."""
        (count,) = self._database.execute("SELECT COUNT(*) FROM samples").fetchone()
        return int(count)

    def species_missing(self, species: Iterable[str]) -> list[str]:
        """Those of some species (by their keys) of which there is no photo, in alphabetical order."""
        there = {name for (name,) in self._database.execute("SELECT species FROM taxa")}
        return sorted(set(species) - there)

    def photos(self, split: str, first: int = 0, last: int | None = None) -> Iterator[Planned]:
        """The photos of a split in order, from key `first` to key `last`."""
        until = last if last is not None else 2**62
        query = (
            "SELECT key, file, names, captions, scientific_name, specimen, source FROM samples "
            "JOIN photos ON photos.id = photo JOIN taxa ON taxa.id = taxon "
            "WHERE samples.split = ? AND key BETWEEN ? AND ? ORDER BY key LIMIT ?"
        )
        while rows := self._database.execute(query, (split, first, until, _ROWS_AT_ONCE)).fetchall():
            for key, file, names, captions, scientific, specimen, source in rows:
                own = tuple(json.loads(captions or "[]"))
                yield Planned(key, file, json.loads(names), scientific, specimen, source, own)
            first = rows[-1][0] + 1

    def finished(self, split: str) -> list[Finished]:
        """The finished shards of a split, in order."""
        rows = self._database.execute(
            "SELECT name, samples, bytes, sha256, split, first, last FROM shards WHERE split = ? ORDER BY name",
            (split,),
        )
        return [Finished(Shard(*row[:4]), *row[4:]) for row in rows]

    def finish(self, done: Finished, problems: Iterable[Problem], contents: Iterable[str]) -> None:
        """Note a shard, the photos of its range that were left out, and the contents that it holds: one commit."""
        shard = done.shard
        row = (shard.name, done.split, done.first, done.last, shard.samples, shard.bytes, shard.sha256)
        self._database.execute("BEGIN")
        self._database.execute("DELETE FROM problems WHERE key BETWEEN ? AND ?", (done.first, done.last))
        self._database.executemany(
            "INSERT INTO problems VALUES (?, ?, ?)",
            ((problem.key, problem.file, problem.reason) for problem in problems),
        )
        self._database.executemany(
            "INSERT OR IGNORE INTO contents VALUES (?, ?)", ((_short(content), done.split) for content in contents)
        )
        self._database.execute("INSERT OR REPLACE INTO shards VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._database.execute("COMMIT")

    def split_of_content(self, content_hash: str) -> str | None:
        """The split in which a finished shard holds the same file."""
        query = "SELECT split FROM contents WHERE hash = ?"
        found = self._database.execute(query, (_short(content_hash),)).fetchone()
        return str(found[0]) if found else None

    def count_problems(self) -> int:
        """Number of photos that were left out of the finished shards."""
        (count,) = self._database.execute("SELECT COUNT(*) FROM problems").fetchone()
        return int(count)

    def problems(self) -> Iterator[Problem]:
        """The photos that were left out of the finished shards."""
        rows = self._database.execute("SELECT key, file, reason FROM problems ORDER BY key")
        yield from (Problem(*row) for row in rows)

    def as_split(self, split: str) -> Split:
        """What the manifest says of a split."""
        shards = tuple(done.shard for done in self.finished(split) if done.shard.samples)
        (taxa,) = self._database.execute(
            "SELECT COUNT(DISTINCT lineage) FROM samples JOIN photos ON photos.id = photo JOIN taxa ON taxa.id = taxon "
            "WHERE samples.split = ? AND key NOT IN (SELECT key FROM problems)",
            (split,),
        ).fetchone()
        return Split(sum(shard.samples for shard in shards), shards, int(taxa))


def _short(content_hash: str) -> bytes:
    """128 bits of a content hash."""
    return bytes.fromhex(content_hash[:32])
