"""Files inside an archive that nobody vouches for: found, bounded, and read without being unpacked.

Nothing is written to the disk; names that lead out of the archive are refused all the same, for an
archive that has them was made to do harm.
"""

import gzip
import io
import os
import re
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

from bioclip_search.errors import RecordError
from bioclip_search.paths import lies_in
from bioclip_search.text import printable

__all__ = ["Container", "is_archive"]

MAX_BYTES = 8 * 1024**3
"""Most bytes read from one source, unpacked; the tables of the GBIF backbone and of COL XR hold about 3 GiB."""

MAX_DOCUMENT_BYTES = 16 * 1024**2
"""Most bytes of meta.xml, eml.xml or metadata.yaml."""

MAX_MEMBERS = 20_000

_LONGEST_READ = 64 * 1024**2
_BUFFER = 1024**2
_ENCRYPTED = 0x1

_T = TypeVar("_T")


def is_archive(path: Path) -> bool:
    """Whether the path is a folder, a zip or a (gzipped) tar file; told by content, not by name."""
    return path.is_dir() or _magic(path) is not None


class Container:
    """The files of a folder, a zip, a tar or a tar.gz, by their names; a context manager.

    Raises RecordError for an archive that is damaged, encrypted, too large, or has names that
    lead out of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._left = MAX_BYTES
        try:
            members = self._find()
        except BaseException:
            self._stack.close()
            raise
        self._openers = {self._checked(name): opener for name, opener in members.items()}

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def names(self) -> list[str]:
        return list(self._openers)

    def open(self, name: str) -> BinaryIO:
        """A file as a stream of bytes, which ends in RecordError at the bound."""
        return cast("BinaryIO", io.BufferedReader(_Bounded(self, name, self._openers[name]()), _BUFFER))

    def read(self, name: str) -> bytes:
        """A small document as a whole."""
        with self.open(name) as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(data) > MAX_DOCUMENT_BYTES:
            raise self.too_large(name)
        return data

    def spend(self, count: int, name: str) -> None:
        self._left -= count
        if self._left < 0:
            raise self.too_large(name)

    def too_large(self, name: str) -> RecordError:
        return RecordError(
            f"{printable(name)} in {self.path} is larger than a taxonomy can be; the archive may be made to do harm: "
            "download it again from its publisher."
        )

    def _checked(self, name: str) -> str:
        plain = name.replace("\\", "/")
        if plain.startswith("/") or re.match(r"[A-Za-z]:", plain) or ".." in plain.split("/"):
            raise RecordError(
                f"{self.path} holds a file that leads out of the archive ({printable(name)}); it may be made to do "
                "harm: download it again from its publisher."
            )
        return plain

    def _find(self) -> dict[str, Callable[[], IO[bytes]]]:
        if self.path.is_dir():
            return self._in_folder()
        return self._in_zip() if _magic(self.path) == "zip" else self._in_tar()

    def _in_folder(self) -> dict[str, Callable[[], IO[bytes]]]:
        found: dict[str, Callable[[], IO[bytes]]] = {}
        for file in self._few(sorted(self.path.iterdir())):
            if file.is_file() and lies_in(file, self.path):
                found[file.name] = lambda file=file: file.open("rb")  # type: ignore[misc]
        return found

    def _in_zip(self) -> dict[str, Callable[[], IO[bytes]]]:
        archive = self._stack.enter_context(zipfile.ZipFile(self.path))
        found: dict[str, Callable[[], IO[bytes]]] = {}
        for info in self._few(archive.infolist()):
            if info.filename.endswith("/"):  # is_dir() fails where a damaged name is empty
                continue
            if info.flag_bits & _ENCRYPTED:
                raise RecordError(f"{self.path} is encrypted; unpack it and name the folder.")
            found[info.filename] = lambda info=info: archive.open(info)  # type: ignore[misc]
        return found

    def _in_tar(self) -> dict[str, Callable[[], IO[bytes]]]:
        packed = _magic(self.path) == "gzip"
        stream = self._stack.enter_context(gzip.GzipFile(self.path) if packed else self.path.open("rb"))
        bounded = cast("IO[bytes]", _BoundedTar(self, cast("BinaryIO", stream)))
        archive = self._stack.enter_context(tarfile.TarFile(fileobj=bounded))
        found: dict[str, Callable[[], IO[bytes]]] = {}
        for count, member in enumerate(archive):
            if count == MAX_MEMBERS:
                raise self._too_many()
            if member.isreg():
                found[member.name] = lambda member=member: archive.extractfile(member)  # type: ignore
        return found

    def _few(self, members: "list[_T]") -> "list[_T]":
        if len(members) > MAX_MEMBERS:
            raise self._too_many()
        return members

    def _too_many(self) -> RecordError:
        return RecordError(f"{self.path} holds more than {MAX_MEMBERS:,} files, so it is no taxonomy; name another.")


def _magic(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "tar" if head[257:262] == b"ustar" else None


class _Bounded(io.RawIOBase):
    """One file, whose bytes count towards the bound of its container."""

    def __init__(self, container: Container, name: str, inner: IO[bytes]) -> None:
        super().__init__()
        self._container, self._name, self._inner = container, name, inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        self._container.spend(len(data), self._name)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _BoundedTar:
    """The unpacked tar itself: a header may claim any size, and a gzip may hold any number of bytes."""

    def __init__(self, container: Container, inner: BinaryIO) -> None:
        self._container, self._inner = container, inner

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise self._container.too_large("A header")
        data = self._inner.read(size)
        self._check(self._inner.tell())
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            self._check(offset)
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    @property
    def closed(self) -> bool:
        return self._inner.closed

    def _check(self, position: int) -> None:
        if position > MAX_BYTES:
            raise self._container.too_large("A file")
