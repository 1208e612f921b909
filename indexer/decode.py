"""Decode photos in worker threads, a bounded number ahead of whoever takes them.

Threads, not processes: Pillow releases the interpreter's lock while it decodes and resizes.
"""

from collections import deque
from collections.abc import Callable, Container, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bioclip_search.errors import PhotoError
from bioclip_search.photo import THUMBNAIL_SIZE, content_hash, open_photo, read_photo, thumbnail
from bioclip_search.preprocessing import Pixels, Preprocessing
from indexer.walk import SeenFile

__all__ = ["Decoded", "Known", "Unusable", "decode", "decode_ahead"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A photo ready to be embedded: `pixels` are uint8 [size, size, 3], `thumbnail` is a JPEG."""

    seen: SeenFile
    content_hash: str
    width: int
    height: int
    pixels: Pixels
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose content has an embedding already."""

    seen: SeenFile
    content_hash: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that cannot be indexed, and why."""

    seen: SeenFile
    reason: str


def decode(seen: SeenFile, preprocessing: Preprocessing, known: Container[str]) -> Decoded | Known | Unusable:
    """Read one file once: hash it, and decode it unless its content is known."""
    try:
        data = read_photo(seen.file)
        digest = content_hash(data)
        if digest in known:
            return Known(seen, digest)
        opened = open_photo(data, needed=max(preprocessing.size, THUMBNAIL_SIZE))
    except PhotoError as error:
        return Unusable(seen, str(error))
    pixels = preprocessing.apply(opened.image)
    return Decoded(seen, digest, opened.width, opened.height, pixels, thumbnail(opened.image))


def decode_ahead(
    files: Iterable[SeenFile], work: Callable[[SeenFile], Decoded | Known | Unusable], workers: int, ahead: int
) -> Generator[Decoded | Known | Unusable, None, None]:
    """The results of `work`, in order; at most `ahead` photos are held decoded."""
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        waiting: deque[Future[Decoded | Known | Unusable]] = deque()
        try:
            for seen in files:
                waiting.append(pool.submit(work, seen))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
