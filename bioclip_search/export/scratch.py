"""What an export must remember of every photo, kept on disk, so that memory does not grow with the catalogue."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

__all__ = ["Scratch"]

_TABLES = """
CREATE TABLE listed (place INTEGER PRIMARY KEY, photo_id TEXT UNIQUE, score REAL);
CREATE TABLE specimens (id TEXT PRIMARY KEY, digest BLOB) WITHOUT ROWID;
CREATE TABLE endings (hash INTEGER PRIMARY KEY, photos INTEGER);
"""
_CACHE_KIB = 32 * 1024


class Scratch:
    """A database without a name, which is gone when it is closed: photos in order, specimens, endings of paths."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            f"PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES} BEGIN;"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def list_photos(self, photos: Iterable[tuple[str, float | None]]) -> None:
        """Put photos, by photo_id and with their score, behind those that are listed; each is listed once."""
        self._database.executemany("INSERT OR IGNORE INTO listed (photo_id, score) VALUES (?, ?)", photos)

    def listed(self, at_once: int) -> Iterator[Sequence[tuple[str, float | None]]]:
        """The photos in the order of the list, with their scores, in parts."""
        last = 0
        while True:
            query = "SELECT place, photo_id, score FROM listed WHERE place > ? ORDER BY place LIMIT ?"
            rows = self._database.execute(query, (last, at_once)).fetchall()
            if not rows:
                return
            yield [(photo_id, score) for _, photo_id, score in rows]
            last = rows[-1][0]

    def meet(self, specimen: str, digest: bytes = b"") -> tuple[bool, bool]:
        """Whether a specimen is met for the first time, and whether its record is the one that it had then."""
        found = self._database.execute("SELECT digest FROM specimens WHERE id = ?", (specimen,)).fetchone()
        if found is not None:
            return False, found[0] == digest
        self._database.execute("INSERT INTO specimens VALUES (?, ?)", (specimen, digest))
        return True, True

    def add_endings(self, hashes: Iterable[int]) -> None:
        """Count photos whose paths end so; hashes are of 63 bits."""
        count = "INSERT INTO endings VALUES (?, 1) ON CONFLICT DO UPDATE SET photos = photos + 1"
        self._database.executemany(count, ((number,) for number in hashes))

    def ends_once(self, ending: int) -> bool:
        """Whether at most one photo's path ends so."""
        found = self._database.execute("SELECT photos FROM endings WHERE hash = ?", (ending,)).fetchone()
        return found is None or found[0] == 1
