"""Find the photo files below a folder; nothing is opened.

Hidden files and folders, AppleDouble files (`._*`) and everything without a picture's suffix
are passed over. Links to folders are followed, each folder once.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["PHOTO_FORMATS", "PHOTO_SUFFIXES", "SeenFile", "is_below", "walk"]

PHOTO_FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "JPEG 2000": (".jp2", ".j2k", ".j2c", ".jpx", ".jpf"),
    "TIFF": (".tif", ".tiff"),
    "PNG": (".png",),
    "WebP and AVIF": (".webp", ".avif"),
    "HEIC": (".heic", ".heif"),
    "GIF": (".gif",),
    "bitmaps": (".bmp", ".dib", ".tga", ".ppm", ".pgm", ".pbm", ".pnm"),
}
PHOTO_SUFFIXES = frozenset(suffix for suffixes in PHOTO_FORMATS.values() for suffix in suffixes)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A photo file as the file system lists it; `mtime` in UTC with microseconds."""

    file: Path
    size: int
    mtime: datetime


def is_below(name: str, folders: Sequence[str]) -> bool:
    """Whether a path is one of the folders or lies in one of them; strings, for it is asked of every row."""
    name = os.path.normpath(name)
    return any(name == folder or name.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def walk(start: Path, unreadable: Callable[[Path, str], None]) -> Iterator[SeenFile]:
    """Photo files at or below `start`, folder by folder in alphabetical order.

    A folder that cannot be listed is handed to `unreadable` with the reason, and passed over.
    """
    if start.is_file():
        yield _seen(start, start.stat())
        return
    visited: set[tuple[int, int]] = set()
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            unreadable(folder, error.strerror or str(error))
            continue
        visible = [entry for entry in entries if not entry.name.startswith(".")]
        waiting.extend(Path(entry.path) for entry in reversed(visible) if entry.is_dir())
        yield from _photos(visible)


def _photos(entries: list[os.DirEntry[str]]) -> Iterator[SeenFile]:
    for entry in entries:
        if os.path.splitext(entry.name)[1].lower() not in PHOTO_SUFFIXES:  # noqa: PTH122 (a Path an entry is slow)
            continue
        try:
            status = entry.stat()
        except OSError:
            continue  # deleted since it was listed, or a link to nowhere
        if stat.S_ISREG(status.st_mode):
            yield _seen(Path(entry.path), status)


def _seen(file: Path, status: os.stat_result) -> SeenFile:
    # Whole microseconds, as the catalogue stores them: a float would round differently.
    mtime = _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1_000)
    return SeenFile(file, status.st_size, mtime)
