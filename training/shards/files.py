"""The photo files of a folder, looked up by name; walked once, when first asked, and kept on disk."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bioclip_search.paths import is_unicode

__all__ = ["FolderFiles", "walk_photos"]

_SUFFIXES = frozenset(
    (
        ".jpg .jpeg .jpe .png .tif .tiff .webp .bmp .gif .jp2 .j2k .avif .heic .heif .dng .cr2 .cr3 .nef .arw .orf .rw2"
    ).split()
)


def walk_photos(folder: Path) -> Iterator[str]:
    """The photo files below a folder, as paths from it with slashes, in the order of their names.

    Names that are no text cannot be written into a table and are passed over.
    """
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = os.path.relpath(root, folder).replace(os.sep, "/")
        for name in sorted(files):
            path = name if below == "." else f"{below}/{name}"
            if os.path.splitext(name)[1].lower() in _SUFFIXES and not name.startswith(".") and is_unicode(path):
                yield path


class FolderFiles:
    """Photo files by name or by stem; names are compared without regard to case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: sqlite3.Connection | None = None

    def by_name(self, name: str) -> str | None:
        """The path from the folder of the one file of that name; None where there is none, or several."""
        found = self._paths("SELECT path FROM files WHERE name = ? LIMIT 2", name)
        return found[0] if len(found) == 1 else None

    def by_stem(self, stem: str) -> list[str]:
        """The paths from the folder of the files that are called so but for their suffix."""
        return self._paths("SELECT path FROM files WHERE stem = ? ORDER BY path", stem)

    def close(self) -> None:
        """Forget the walk."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _paths(self, query: str, value: str) -> list[str]:
        if self._database is None:
            self._database = _walked(self._folder)
        return [path for (path,) in self._database.execute(query, (value.casefold(),))]


def _walked(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect("", isolation_level=None)
    database.executescript("PRAGMA journal_mode = OFF; CREATE TABLE files (path TEXT, name TEXT, stem TEXT); BEGIN;")
    names = ((path, path.rsplit("/", 1)[-1].casefold()) for path in walk_photos(folder))
    rows = ((path, name, os.path.splitext(name)[0]) for path, name in names)
    database.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)
    database.execute("COMMIT")
    database.execute("CREATE INDEX by_name ON files (name)")
    database.execute("CREATE INDEX by_stem ON files (stem)")
    return database
