"""The files of a collection, in folders and in zips, found by their last two names; kept on disk."""

import os
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bioclip_search.errors import RecordError, UsageError
from bioclip_search.text import printable
from training.shards.files import walk_photos
from training.shards.packs import packed_name

__all__ = ["CollectionFiles", "tail_of"]


def tail_of(path: str) -> str:
    """Folder and name, in lower case: what a file is found by, wherever the collection was unpacked."""
    return "/".join(path.replace("\\", "/").lower().split("/")[-2:])


class CollectionFiles:
    """All photos below a folder, those in zips included. Raises UsageError for a folder that is not there."""

    def __init__(self, folder: Path) -> None:
        if not os.path.isdir(folder):
            raise UsageError(f"There is no folder {printable(str(folder))}; check the spelling of its path.")
        self._folder = folder
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = OFF; CREATE TABLE files (tail TEXT, path TEXT); BEGIN;")
        self._database.executemany(
            "INSERT INTO files VALUES (?, ?)", ((tail_of(name), path) for name, path in self._walk())
        )
        self._database.execute("COMMIT")
        self._database.execute("CREATE INDEX by_tail ON files (tail)")

    def close(self) -> None:
        self._database.close()

    def find(self, tail: str) -> str | None:
        """The path of the file with these last two names; the first in the alphabet if there are several."""
        query = "SELECT path FROM files WHERE tail = ? ORDER BY path LIMIT 1"
        found = self._database.execute(query, (tail,)).fetchone()
        return str(found[0]) if found else None

    def __iter__(self) -> Iterator[str]:
        """All paths, in the order of their names."""
        return (path for (path,) in self._database.execute("SELECT path FROM files ORDER BY path"))

    def _walk(self) -> Iterator[tuple[str, str]]:
        for name in walk_photos(self._folder):
            yield name, os.path.join(self._folder, name)
        for pack in sorted(self._folder.rglob("*.zip")):
            try:
                with zipfile.ZipFile(pack) as archive:
                    names = [info.filename for info in archive.infolist() if not info.is_dir()]
            except (OSError, zipfile.BadZipFile) as error:
                raise RecordError(
                    f"The pack {printable(str(pack))} cannot be read ({error}); fetch it again, or unpack it."
                ) from error
            yield from ((name, packed_name(str(pack), name)) for name in names)
