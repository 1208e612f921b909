"""Ten million photos in a database on disk: what is known of each, and what becomes of it."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.assemble.names import Names, common_name, is_empty, key_of, to_taxon, unified
from training.assemble.ranks import RankFiller
from training.assemble.row import Collection, CollectionRow
from training.shards.packs import packed_size
from training.shards.sample import names_of
from training.shards.species import species_key

__all__ = ["DUPLICATE", "KEPT", "TEST_IMAGE", "TEST_TAXON", "UNREADABLE", "WITHOUT_NAME", "Stage", "StagedPhoto"]

KEPT, DUPLICATE, UNREADABLE = "images", "duplicates", "unreadable"
TEST_TAXON, TEST_IMAGE = "testTaxa", "testImages"
WITHOUT_NAME, WITHOUT_FILE = "withoutName", "withoutFile"

_CACHE_KIB = 32 * 1024
_RANKS = 'kingdom, phylum, class, "order", family, genus, epithet'
_TABLES = f"""
CREATE TABLE taxa (
    id INTEGER PRIMARY KEY, kingdom TEXT, phylum TEXT, class TEXT, "order" TEXT, family TEXT, genus TEXT, epithet TEXT,
    photos INTEGER DEFAULT 0, UNIQUE ({_RANKS})
);
CREATE TABLE filled (
    taxon INTEGER PRIMARY KEY, kingdom TEXT, phylum TEXT, class TEXT, "order" TEXT, family TEXT, genus TEXT,
    epithet TEXT, known INTEGER, gained INTEGER, key TEXT, common TEXT
);
CREATE TABLE photos (
    id INTEGER PRIMARY KEY, source INTEGER, file TEXT UNIQUE, photo TEXT, base TEXT, taxon INTEGER, common TEXT,
    specimen TEXT, barcode TEXT, size INTEGER, hash BLOB, fate TEXT
);
"""


@dataclass(frozen=True, slots=True)
class StagedPhoto:
    """A photo that is kept: the columns of the table that `train shards` reads."""

    photo: str
    file: str
    source: str
    specimen: str | None
    barcode: str | None
    names: dict[str, str]


class Stage:
    """The database of one assembly; `sources` gives the numbers of collections, the first being preferred."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("BEGIN")
        self._database.create_function("species_key", 1, species_key, deterministic=True)
        self.sources: list[str] = []
        self.counts: dict[str, Counter[str]] = {}

    def close(self) -> None:
        self._database.close()

    def take(self, collection: Collection, tell: Callable[[int], None]) -> None:
        """Put all photos of a collection whose files are there into the database."""
        self.sources.append(collection.name)
        counts = self.counts[collection.name] = Counter()
        for number, row in enumerate(collection.rows(), 1):
            if row.file is None:
                counts[WITHOUT_FILE] += 1
            else:
                self._add(row, row.file)
            tell(number)
        counts.update(collection.unknown)

    def _add(self, row: CollectionRow, file: str) -> None:
        names = unified(row.ranks)
        taxon = self._taxon_id(names)
        values = (
            len(self.sources) - 1,
            file,
            row.photo,
            row.photo.rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower(),
            taxon,
            common_name(row.common, names),
            row.specimen,
            row.barcode,
            _size_of(file),
            WITHOUT_NAME if is_empty(names) else None,
        )
        added = self._database.execute(
            "INSERT OR IGNORE INTO photos (source, file, photo, base, taxon, common, specimen, barcode, size, fate) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        if added.rowcount:
            self._database.execute("UPDATE taxa SET photos = photos + 1 WHERE id = ?", (taxon,))

    def _taxon_id(self, names: Names) -> int:
        self._database.execute(f"INSERT OR IGNORE INTO taxa ({_RANKS}) VALUES (?, ?, ?, ?, ?, ?, ?)", names)  # noqa: S608
        where = 'kingdom = ? AND phylum = ? AND class = ? AND "order" = ? AND family = ? AND genus = ? AND epithet = ?'
        (number,) = self._database.execute(f"SELECT id FROM taxa WHERE {where}", names).fetchone()  # noqa: S608
        return int(number)

    def fill(self) -> None:
        """Fill the ranks of every taxon, and give each the common name that most photos of its name have."""
        for column in ("phylum", "class", '"order"', "family", "genus, epithet"):
            name = column.strip('"').split(",")[0]
            self._database.execute(f"CREATE INDEX by_{name} ON taxa ({column})")
        filler = RankFiller(self._database)
        taxa = self._database.execute(f"SELECT id, {_RANKS} FROM taxa")  # noqa: S608
        self._database.executemany(
            f"INSERT INTO filled VALUES ({', '.join('?' * 11)}, NULL)",  # noqa: S608
            (_filled(number, (*names,), filler) for number, *names in taxa),
        )
        self._name_commonly()

    def _name_commonly(self) -> None:
        self._database.execute("CREATE INDEX filled_key ON filled (key)")
        self._database.execute(
            "CREATE TEMP TABLE called AS SELECT key, common FROM ("
            " SELECT key, photos.common, row_number() OVER ("
            "  PARTITION BY key ORDER BY COUNT(*) DESC, photos.common) AS place"
            " FROM photos JOIN filled USING (taxon) WHERE photos.common IS NOT NULL GROUP BY key, photos.common"
            ") WHERE place = 1"
        )
        self._database.execute("CREATE INDEX called_key ON called (key)")
        self._database.execute("UPDATE filled SET common = (SELECT common FROM called WHERE called.key = filled.key)")

    def leave_out(self, species: Iterable[str], images: Iterable[str]) -> None:
        """Mark the photos of species (by their keys) and those with these file names, which are for tests."""
        self._database.execute("CREATE TEMP TABLE tested (name TEXT PRIMARY KEY)")
        for names, fate, where in (
            (species, TEST_TAXON, "taxon IN (SELECT taxon FROM filled WHERE species_key(key) IN tested)"),
            (images, TEST_IMAGE, "base IN tested"),
        ):
            self._database.execute("DELETE FROM tested")
            self._database.executemany("INSERT OR IGNORE INTO tested VALUES (?)", ((name,) for name in names))
            self._database.execute(f"UPDATE photos SET fate = ? WHERE fate IS NULL AND {where}", (fate,))  # noqa: S608

    def twins(self) -> Iterator[tuple[int, str]]:
        """Number and file of every photo that has the size of another: only these can be copies."""
        self._database.execute("CREATE TEMP TABLE shared AS SELECT size FROM photos GROUP BY size HAVING COUNT(*) > 1")
        self._database.execute("CREATE INDEX shared_size ON shared (size)")
        query = (
            "SELECT id, file FROM photos WHERE fate IS NOT ? AND size IN (SELECT size FROM shared) AND id > ? "
            "ORDER BY id LIMIT 1000"
        )
        last = 0
        while rows := self._database.execute(query, (WITHOUT_NAME, last)).fetchall():
            yield from rows
            last = rows[-1][0]

    def hashed(self, number: int, digest: bytes | None) -> None:
        """Note the content of a photo; None for one that cannot be read."""
        if digest is None:
            self._database.execute("UPDATE photos SET fate = ? WHERE id = ?", (UNREADABLE, number))
        else:
            self._database.execute("UPDATE photos SET hash = ? WHERE id = ?", (digest, number))

    def leave_out_duplicates(self) -> None:
        """Keep one of each content, the one whose taxon has most ranks; none where one of them is for tests."""
        self._database.execute("CREATE INDEX by_hash ON photos (hash) WHERE hash IS NOT NULL")
        self._database.execute(
            "UPDATE photos SET fate = ? WHERE fate IS NULL AND hash IN "
            "(SELECT hash FROM photos WHERE hash IS NOT NULL AND fate IN (?, ?))",
            (TEST_IMAGE, TEST_TAXON, TEST_IMAGE),
        )
        self._database.execute(
            "UPDATE photos SET fate = ? WHERE id IN (SELECT id FROM ("
            " SELECT id, row_number() OVER (PARTITION BY hash ORDER BY known DESC, source, photo) AS place"
            " FROM photos JOIN filled USING (taxon) WHERE fate IS NULL AND hash IS NOT NULL) WHERE place > 1)",
            (DUPLICATE,),
        )

    def count(self) -> dict[str, dict[str, int]]:
        """By source: what became of its photos, and the taxa and filled ranks of those that are kept."""
        for number, name in enumerate(self.sources):
            rows = self._database.execute(
                "SELECT COALESCE(fate, ?), COUNT(*) FROM photos WHERE source = ? GROUP BY fate", (KEPT, number)
            )
            self.counts[name].update(dict(rows.fetchall()))
        return {
            name: {KEPT: 0, **self._kept(f"source = {number}"), **self.counts[name]}
            for number, name in enumerate(self.sources)
        }

    def total(self) -> dict[str, int]:
        """The photos, taxa and filled ranks of all sources together, each taxon once."""
        (photos,) = self._database.execute("SELECT COUNT(*) FROM photos WHERE fate IS NULL").fetchone()
        return {KEPT: int(photos), **self._kept("1")}

    def _kept(self, where: str) -> dict[str, int]:
        query = (
            f"SELECT COUNT(*), SUM(epithet <> ''), SUM(filled) FROM (SELECT {_RANKS}, SUM(gained) AS filled "  # noqa: S608
            f"FROM photos JOIN filled USING (taxon) WHERE fate IS NULL AND {where} GROUP BY {_RANKS})"
        )
        taxa, species, gained = self._database.execute(query).fetchone()
        query = f"SELECT COUNT(DISTINCT barcode) FROM photos WHERE fate IS NULL AND {where}"  # noqa: S608
        (barcodes,) = self._database.execute(query).fetchone()
        found = {"taxa": taxa, "species": species or 0, "ranksFilled": gained or 0}
        return found | ({"barcodes": barcodes} if barcodes else {})

    def kept(self) -> Iterator[StagedPhoto]:
        """The photos that are kept, in the order of their names."""
        query = (
            f"SELECT photo, file, source, specimen, barcode, COALESCE(photos.common, filled.common), {_RANKS} "  # noqa: S608
            "FROM photos JOIN filled USING (taxon) WHERE fate IS NULL ORDER BY photo, file"
        )
        for photo, file, source, specimen, barcode, common, *names in self._database.execute(query):
            taxon = to_taxon((*names,), common)
            yield StagedPhoto(photo, file, self.sources[source], specimen, barcode, names_of(taxon))


def _filled(number: int, names: Names, filler: RankFiller) -> tuple[int | str, ...]:
    full = filler.filled(names)
    known = sum(map(bool, full))
    return (number, *full, known, known - sum(map(bool, names)), key_of(full))


def _size_of(file: str) -> int:
    """In bytes; -1, which all share, for a file that is not there."""
    packed = packed_size(file)
    if packed is not None:
        return packed
    try:
        return os.stat(file).st_size  # noqa: PTH116 (asked of every photo)
    except OSError:
        return -1
