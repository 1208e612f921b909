"""Planned photos into tars: decoded in many threads, written in their order, each tar aside and renamed."""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Protocol

from bioclip_search.errors import PhotoError
from bioclip_search.taxonomy import Taxon
from training.shards.ahead import in_order
from training.shards.manifest import Shard
from training.shards.picture import Picture, Shape, to_picture
from training.shards.plan import Finished, Plan, Planned, Problem
from training.shards.sample import KEY_DIGITS, sample_json, text_members

__all__ = ["Form", "Observer", "is_there", "write_split"]

_BLOCK = tarfile.BLOCKSIZE
_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Form:
    """What a shard is made of: the pictures' shape, BioCLIP's text members or not, most samples and bytes a tar."""

    shape: Shape = field(default_factory=Shape)
    text_members: bool = False
    max_count: int = 2_000
    max_bytes: int = 1_000_000_000


class Observer(Protocol):
    """Whoever shows how far the writing is."""

    def planned(self, photos: int) -> None:
        """So many photos of the source were read."""

    def begin(self, total: int) -> None:
        """So many photos are to be written."""

    def advance(self, photos: int) -> None:
        """So many more are done, well or badly."""

    def problem(self, problem: Problem) -> None:
        """A photo was left out."""


_Encoded = tuple[Planned, Picture | str]


@dataclass(slots=True)
class _Filled:
    """What is in the tar that is being written."""

    split: str
    first: int
    last: int
    samples: int = 0
    problems: list[Problem] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)


def write_split(plan: Plan, folder: Path, split: str, form: Form, workers: int, observer: Observer) -> None:
    """Write the shards of a split that are not there yet, and note each in the plan.

    Which photos a shard holds follows from the plan and the form alone, so that a run that was killed
    leaves the same shards as one that was not.
    """
    with closing(_Writer(plan, folder, split, form, workers, observer)) as writer:
        done = plan.finished(split)
        for shard in done:
            if not is_there(folder, shard):
                writer.write_again(shard)
        writer.write_from(done[-1].last + 1 if done else 0, len(done))


def is_there(folder: Path, done: Finished) -> bool:
    """Whether a shard that was finished still lies in its place, by its size."""
    path = folder / done.shard.name
    return not done.shard.samples or (os.path.isfile(path) and path.stat().st_size == done.shard.bytes)


class _Writer:
    def __init__(self, plan: Plan, folder: Path, split: str, form: Form, workers: int, observer: Observer) -> None:
        self._plan, self._folder, self._split, self._form, self._observer = plan, folder, split, form, observer
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._ahead = workers * _AHEAD

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def write_again(self, done: Finished) -> None:
        """Write a shard of the same photos as before."""
        photos = self._encoded(self._plan.photos(self._split, done.first, done.last))
        self._write_one(done.shard.name, _Peekable(photos), lambda _samples, _bytes: False)

    def write_from(self, first: int, number: int) -> None:
        """Write shards from a photo on, the first of them with a number."""
        photos = _Peekable(self._encoded(self._plan.photos(self._split, first)))
        while photos.peek() is not None:
            self._write_one(f"{self._split}-{number:06d}.tar", photos, self._is_full)
            number += 1

    def _is_full(self, samples: int, size: int) -> bool:
        return samples > self._form.max_count or (samples > 1 and size > self._form.max_bytes)

    def _write_one(self, name: str, photos: "_Peekable", is_full: Callable[[int, int], bool]) -> None:
        begin = photos.peek()
        assert begin is not None  # noqa: S101 (told by whoever calls)
        filled = _Filled(self._split, begin[0].key, begin[0].key)
        with _Tar(self._folder / name) as tar:
            while (encoded := photos.peek()) is not None:
                photo, picture = encoded
                reason = picture if isinstance(picture, str) else self._twin(picture)
                if reason is not None:
                    self._leave_out(Problem(photo.key, photo.file, reason), filled)
                elif isinstance(picture, Picture):
                    members = self._members(photo, picture)
                    if is_full(filled.samples + 1, tar.size + _size_of(members)):
                        break
                    tar.add(f"{photo.key:0{KEY_DIGITS}d}", members)
                    filled.samples += 1
                    filled.contents.append(picture.content_hash)
                filled.last = photo.key
                photos.take()
                self._observer.advance(1)
            shard = tar.finish(filled.samples)
        self._plan.finish(Finished(shard, filled.split, filled.first, filled.last), filled.problems, filled.contents)

    def _twin(self, picture: Picture) -> str | None:
        """Why a picture may not be in this split: the same file, under another specimen, is in one before."""
        split = self._plan.split_of_content(picture.content_hash)
        return f"the same file is in the split {split}" if split not in (None, self._split) else None

    def _leave_out(self, problem: Problem, filled: _Filled) -> None:
        filled.problems.append(problem)
        self._observer.problem(problem)

    def _members(self, photo: Planned, picture: Picture) -> dict[str, bytes]:
        key = f"{photo.key:0{KEY_DIGITS}d}"
        texts = text_members(Taxon.from_ranks(photo.names)) if self._form.text_members else {}
        document = sample_json(key, photo.names, photo.scientific_name, photo.specimen, photo.source, photo.captions)
        return {"jpg": picture.jpeg, "json": document, **texts}

    def _encoded(self, photos: Iterable[Planned]) -> Iterator[_Encoded]:
        """The photos in their order, each with its picture or the reason why there is none."""
        return in_order(self._pool, lambda photo: _picture_or_reason(photo.file, self._form.shape), photos, self._ahead)


def _picture_or_reason(file: str, shape: Shape) -> Picture | str:
    try:
        return to_picture(file, shape)
    except PhotoError as error:
        return str(error)
    except MemoryError:
        return "there is not enough memory to decode this picture"


class _Peekable:
    """An iterator whose next value can be seen before it is taken."""

    def __init__(self, values: Iterator[_Encoded]) -> None:
        self._values = values
        self._next = next(values, None)

    def peek(self) -> _Encoded | None:
        return self._next

    def take(self) -> None:
        self._next = next(self._values, None)


def _size_of(members: dict[str, bytes]) -> int:
    """The bytes that members take in a tar: a block each for the header, contents in whole blocks."""
    return sum(_BLOCK + -(-len(data) // _BLOCK) * _BLOCK for data in members.values())


class _Tar:
    """A tar that is written beside its place and renamed when it is whole; the same members, the same bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f".{path.name}.part")
        self.size = 0

    def __enter__(self) -> "_Tar":
        self._file = _Hashed(self._aside)
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)  # type: ignore[call-overload]
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def add(self, key: str, members: dict[str, bytes]) -> None:
        for extension in sorted(members):
            info = tarfile.TarInfo(f"{key}.{extension}")
            info.size = len(members[extension])
            self._tar.addfile(info, BytesIO(members[extension]))
        self.size += _size_of(members)

    def finish(self, samples: int) -> Shard:
        """Put the tar into its place; one without samples is not kept."""
        self._tar.close()
        self._file.close()
        if samples:
            self._aside.replace(self._path)
        return Shard(self._path.name, samples, self._file.bytes, self._file.digest.hexdigest())


class _Hashed:
    """A new file that knows the SHA-256 and the number of its bytes; on the disk when it is closed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self.digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.bytes += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.bytes

    def close(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
