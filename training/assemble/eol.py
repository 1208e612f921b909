"""Encyclopedia of Life: images called CONTENT_PAGE_eol….jpg or by treeoflife_id, and TreeOfLife's catalog.csv.

https://huggingface.co/datasets/imageomics/TreeOfLife-10M
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

from bioclip_search.errors import RecordError
from bioclip_search.records import stream_table
from bioclip_search.text import printable
from training.assemble.files import CollectionFiles
from training.assemble.row import CollectionRow

__all__ = ["EncyclopediaOfLife"]

_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
_COLUMNS = ("treeoflife_id", "eol_content_id", "eol_page_id")
_BY_NUMBERS = re.compile(r"(\d{1,18})_(\d{1,18})_eol.*")
_LARGEST = 10**18
_TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE catalogue (
    tol TEXT, content INTEGER, page INTEGER,
    kingdom TEXT, phylum TEXT, class TEXT, "order" TEXT, family TEXT, genus TEXT, species TEXT,
    common TEXT, known INTEGER
);
BEGIN;
"""


class EncyclopediaOfLife:
    """The images of a folder, named by a catalogue; rows of other sources in it are passed over."""

    name = "eol"

    def __init__(self, folder: Path, catalogue: Path) -> None:
        """Raises RecordError for a catalogue that lacks what is needed."""
        self._folder, self._catalogue = folder, catalogue
        if missing := set(_COLUMNS).difference(stream_table(catalogue).columns):
            raise RecordError(
                f"{printable(str(catalogue))} lacks the columns {', '.join(sorted(missing))} of TreeOfLife's catalogue."
            )
        self.unknown: Counter[str] = Counter()

    def rows(self) -> Iterator[CollectionRow]:
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            database.row_factory = sqlite3.Row
            database.executescript(_TABLES)
            self._read(database)
            with closing(CollectionFiles(self._folder)) as files:
                for file in files:
                    name = PurePosixPath(file.replace("\\", "/")).name
                    if found := _described(database, name):
                        ranks = {rank: found[rank] for rank in _RANKS}
                        yield CollectionRow(file, f"eol:{name}", ranks, found["common"])
                    else:
                        self.unknown["withoutRecord"] += 1

    def _read(self, database: sqlite3.Connection) -> None:
        names = (*_RANKS, "common")
        rows = (
            (
                record.get("treeoflife_id"),
                _number(record.get("eol_content_id")),
                _number(record.get("eol_page_id")),
                *(record.get(name) for name in names),
                sum(rank in record for rank in _RANKS),
            )
            for record in stream_table(self._catalogue).records
            if "eol_content_id" in record
        )
        database.executemany(f"INSERT INTO catalogue VALUES ({', '.join('?' * 12)})", rows)  # noqa: S608
        database.execute("COMMIT")
        for column in ("tol", "content", "page"):
            database.execute(f"CREATE INDEX by_{column} ON catalogue ({column})")


def _described(database: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """The catalogue's row of an image: its own, else the fullest of its page, for a page is a taxon."""
    match = _BY_NUMBERS.fullmatch(name)
    if match is None:
        return _first(database, "tol = ?", name.rsplit(".", 1)[0])
    content, page = int(match[1]), int(match[2])
    return _first(database, "content = ? AND page = ?", content, page) or _first(database, "page = ?", page)


def _first(database: sqlite3.Connection, where: str, *values: str | int) -> sqlite3.Row | None:
    query = f"SELECT * FROM catalogue WHERE {where} ORDER BY known DESC, tol LIMIT 1"  # noqa: S608
    found: sqlite3.Row | None = database.execute(query, values).fetchone()
    return found


def _number(value: str | None) -> int | None:
    """“28838452.0”, as a table with gaps has been written, is 28838452."""
    try:
        number = int(float(value)) if value else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) < _LARGEST else None
