"""Find the photo files below a folder.

Hidden files and folders, AppleDouble files (`._*`) and everything without a picture's suffix
are passed over; a file without any suffix counts if it begins like a picture. Links to folders
are followed, each folder once.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bioclip_search.raw import RAW_SUFFIXES

__all__ = ["PHOTO_FORMATS", "PHOTO_SUFFIXES", "ListedFile", "is_photo_name", "walk"]

PHOTO_FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "JPEG 2000": (".jp2", ".j2k", ".j2c", ".jpx", ".jpf"),
    "TIFF": (".tif", ".tiff"),
    "PNG": (".png", ".apng"),
    "WebP and AVIF": (".webp", ".avif"),
    "HEIC": (".heic", ".heif"),
    "camera RAW": RAW_SUFFIXES,
    "GIF": (".gif",),
    "bitmaps": (".bmp", ".dib", ".tga", ".ppm", ".pgm", ".pbm", ".pnm"),
}
PHOTO_SUFFIXES = frozenset(suffix for suffixes in PHOTO_FORMATS.values() for suffix in suffixes)

_CANDIDATES = PHOTO_SUFFIXES | {""}

# The first bytes of the formats that scanners and cameras write.
_SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"GIF8",
    b"\0\0\0\x0cjP  ",
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = 250_000_000_000_000_000  # microseconds: the year 9892; some file systems hold stranger dates


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A photo file as the file system lists it: absolute path, bytes, `mtime` in UTC with microseconds."""

    file: str
    size: int
    mtime: datetime


def walk(start: Path, unreadable: Callable[[Path, str], None]) -> Iterator[ListedFile]:
    """Photo files at or below `start`, folder by folder in alphabetical order.

    A folder that cannot be listed is handed to `unreadable` with the reason, and passed over; a start
    that is not there has no files.
    """
    if os.path.isfile(start):  # unlike Path.is_file, False also where its folder may not be read
        yield _listed(os.fspath(start), start.stat())
        return
    if not os.path.lexists(start):
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
        waiting.extend(Path(entry.path) for entry in reversed(visible) if _is_folder(entry))
        yield from _photos(visible)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads to itself


def _photos(entries: list[os.DirEntry[str]]) -> Iterator[ListedFile]:
    for entry in entries:
        if _suffix(entry.name) not in _CANDIDATES:
            continue
        try:
            status = entry.stat()
        except OSError:
            continue  # deleted since it was listed, or a link to nowhere
        if stat.S_ISREG(status.st_mode) and is_photo_name(entry.path):
            yield _listed(entry.path, status)


def is_photo_name(file: str) -> bool:
    """Whether a file has a picture's suffix, or none and begins like a picture."""
    suffix = _suffix(file)
    return suffix in PHOTO_SUFFIXES or (not suffix and _begins_like_a_picture(file))


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _begins_like_a_picture(file: str) -> bool:
    try:
        with Path(file).open("rb") as stream:
            return stream.read(16).startswith(_SIGNATURES)
    except OSError:
        return False


def _listed(file: str, status: os.stat_result) -> ListedFile:
    # Whole microseconds, as the catalogue stores them: a float would round differently.
    mtime = _EPOCH + timedelta(microseconds=min(status.st_mtime_ns // 1_000, _LAST_MOMENT))
    return ListedFile(file, status.st_size, mtime)
