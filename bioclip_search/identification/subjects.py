"""The photos that are to be identified: files, or rows of the catalogue, with their embeddings in batches."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

from bioclip_search.batches import batched, collected
from bioclip_search.catalogue import Catalogue
from bioclip_search.content import ContentSet
from bioclip_search.embedder import Embedder, Features
from bioclip_search.errors import PhotoError
from bioclip_search.identification.block import BLOCK_COLUMNS, NO_SPECIMEN, Block, block_of
from bioclip_search.identification.taxa import MISSING
from bioclip_search.photo import content_hash, open_photo, read_photo
from bioclip_search.preprocessing import Pixels
from bioclip_search.schema import EMBEDDING, KEY
from bioclip_search.storage import among

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FileReader", "Subject", "Subjects", "from_catalogue"]

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_SUBJECT_COLUMNS = (*BLOCK_COLUMNS, "root", "path")
_FILES_AT_ONCE = 64
_THREADS = 8
_KEPT_BYTES = 16 * 2**20

Squash = Callable[[Image.Image, int], Pixels | Features]
"""A picture and the side of a square in pixels -> [side, side, 3]."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A photo to be identified; `name` is the file as it was given. The rest is known of the catalogue's photos."""

    name: str
    photo_id: str | None = None
    content_hash: str | None = None
    catalog_number: str | None = None


@dataclass(frozen=True, slots=True)
class Subjects:
    """Photos to be identified and their embeddings, in the same order."""

    photos: tuple[Subject, ...]
    block: Block

    def __len__(self) -> int:
        return len(self.photos)


def from_catalogue(catalogue: Catalogue, where: str, at_once: int) -> Iterator[Subjects]:
    """The photos of a catalogue that a SQL condition selects, with the embeddings that it keeps."""
    for rows in collected(catalogue.scan(_SUBJECT_COLUMNS, where)):
        for start in range(0, rows.num_rows, at_once):
            part = rows.slice(start, at_once)
            yield Subjects(tuple(_subject(row) for row in part.drop([EMBEDDING]).to_pylist()), block_of(part))


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of the catalogue."""

    row: dict[str, Any]
    vector: Features
    specimen: int


@dataclass(slots=True)
class _File:
    """A file on its way to a subject; of a large one the bytes are read again when it is decoded."""

    path: Path
    data: bytes
    digest: str
    known: _Known | None = None
    vector: Features | None = None


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads and embeds files; one that the catalogue holds by content has its embedding and specimen there.

    `squash` replaces the model's own preprocessing: then every file is decoded in full and embedded.
    `problem` is told of files that are no photos, which are passed over.
    """

    load: Callable[[], Embedder]
    problem: Callable[[Path, PhotoError], None]
    catalogue: Catalogue | None = None
    squash: Squash | None = None

    def subjects(self, files: Iterable[Path], at_once: int) -> Iterator[Subjects]:
        """The photos among the files, in their order."""
        with ThreadPoolExecutor(_THREADS) as threads:
            held: list[_File] = []
            for chunk in batched(files, min(at_once, _FILES_AT_ONCE)):
                held += self._embedded(chunk, threads)
                if len(held) + _FILES_AT_ONCE > at_once:
                    yield from _subjects(held)
                    held = []
            yield from _subjects(held)

    def _embedded(self, paths: Sequence[Path], threads: ThreadPoolExecutor) -> list[_File]:
        files = self._sound(paths, threads.map(_attempt(_opened), paths))
        self._find(files)
        fresh = [file for file in files if file.vector is None]
        pixels = list(threads.map(_attempt(self._squashed), fresh))
        usable: list[Any] = [square for square in pixels if not isinstance(square, PhotoError)]
        vectors = iter(self.load().encode_pixels(np.stack(usable)) if usable else ())
        for file, square in zip(fresh, pixels, strict=True):
            file.data = b""
            if isinstance(square, PhotoError):
                self.problem(file.path, square)
            else:
                file.vector = next(vectors)
        return [file for file in files if file.vector is not None]

    def _sound(self, paths: Sequence[Path], opened: Iterable[_File | PhotoError]) -> list[_File]:
        files = []
        for path, file in zip(paths, opened, strict=True):
            if isinstance(file, PhotoError):
                self.problem(path, file)
            else:
                files.append(file)
        return files

    def _find(self, files: Sequence[_File]) -> None:
        """Take from the catalogue what it knows of these contents; of copies the one in the same place."""
        if self.catalogue is None or not files:
            return
        where = among("content_hash", sorted({file.digest for file in files}))
        known: dict[str, list[_Known]] = {}
        for rows in collected(self.catalogue.scan(_SUBJECT_COLUMNS, where)):
            for found in _known(rows):
                known.setdefault(found.row["content_hash"], []).append(found)
        for file in files:
            if copies := known.get(file.digest):
                place = os.path.abspath(file.path)
                file.known = next((copy for copy in copies if _place(copy.row) == place), copies[0])
                file.vector = None if self.squash else file.known.vector

    def _squashed(self, file: _File) -> Pixels | Features:
        preprocessing = self.load().preprocessing
        data = file.data or read_photo(file.path)
        if self.squash is not None:
            return self.squash(open_photo(data, name=file.path.name).image, preprocessing.size)
        return preprocessing.apply(open_photo(data, preprocessing.size, file.path.name).image)


def _opened(path: Path) -> _File:
    data = read_photo(path)
    return _File(path, data if len(data) <= _KEPT_BYTES else b"", content_hash(data))


def _attempt(step: Callable[[_Given], _Made]) -> Callable[[_Given], _Made | PhotoError]:
    """The step, which gives the PhotoError that it raises: threads are not to stop each other."""

    def attempted(given: _Given) -> _Made | PhotoError:
        try:
            return step(given)
        except PhotoError as error:
            return error

    return attempted


def _known(rows: "pa.Table") -> Iterator[_Known]:
    block = block_of(rows)
    for at, row in enumerate(rows.drop([EMBEDDING]).to_pylist()):
        yield _Known(row, block.vectors[at], int(block.specimens[at]))


def _subjects(files: Sequence[_File]) -> Iterator[Subjects]:
    if not files:
        return
    photos = tuple(
        _subject(file.known.row, str(file.path)) if file.known else Subject(str(file.path), content_hash=file.digest)
        for file in files
    )
    block = Block(
        np.stack([file.vector for file in files if file.vector is not None]),
        np.full(len(files), MISSING, dtype=np.int32),
        np.asarray([ContentSet.key(file.digest) for file in files], dtype=np.uint64),
        np.asarray([file.known.specimen if file.known else NO_SPECIMEN for file in files], dtype=np.uint64),
        np.asarray([photo.photo_id or "" for photo in photos], dtype=np.str_),
    )
    yield Subjects(photos, block)


def _subject(row: dict[str, Any], name: str | None = None) -> Subject:
    return Subject(name or _place(row), row[KEY], row["content_hash"], row["catalogNumber"])


def _place(row: dict[str, Any]) -> str:
    place: str = os.path.normpath(os.path.join(row["root"], row["path"]))
    return place
