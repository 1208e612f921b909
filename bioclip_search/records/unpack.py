"""Unpack an archive that nobody vouches for: nothing leaves the folder, and its size is bounded."""

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from bioclip_search.errors import RecordError
from bioclip_search.text import printable

__all__ = ["MAX_BYTES", "MAX_FILES", "unpack"]

MAX_BYTES = 20_000_000_000
MAX_FILES = 10_000
_BLOCK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def unpack(source: Path, folder: Path) -> None:
    """Write the files of a zip or tar archive below `folder`.

    Raises RecordError for a damaged archive, a name that leads out of the folder, more than MAX_FILES
    files or MAX_BYTES bytes. What an archive says of its sizes is not believed: bytes are counted.
    """
    shown = printable(str(source))
    left = MAX_BYTES
    try:
        for number, (name, stream) in enumerate(_members(source)):
            if number >= MAX_FILES:
                raise RecordError(f"{shown} holds more than {MAX_FILES:,} files; unpack it and name its folder.")
            target = folder / _safe(name, shown)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                while block := stream.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise RecordError(
                            f"{shown} unpacks to more than {MAX_BYTES / 1e9:.0f} GB; is it an archive of records?"
                        )
                    out.write(block)
    except _DAMAGED as error:
        raise RecordError(f"The archive {shown} is damaged ({error}); download or export it again.") from error
    except OSError as error:
        free = shutil.disk_usage(folder).free / 1e9
        raise RecordError(
            f"The archive {shown} cannot be unpacked ({error.strerror or error}; {free:.1f} GB are free for it)."
        ) from error


def _members(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith("/"):  # is_dir() fails where a damaged name is empty
                    with archive.open(entry) as stream:
                        yield entry.filename, stream
        return
    with tarfile.open(source) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:  # links and devices are passed over
                yield member.name, content


def _safe(name: str, shown: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or PureWindowsPath(name).drive or "\0" in name:
        raise RecordError(
            f"{shown} holds a file that would be written outside of it ({printable(name)}); it is refused."
        )
    return Path(*parts)
