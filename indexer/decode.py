"""One photo file to what the model and the catalogue need of it. Called in several threads at once.

Threads, not processes: Pillow releases the interpreter's lock while it decodes and resizes.
"""

from collections.abc import Container
from dataclasses import dataclass

from bioclip_search.errors import PhotoError, PhotoTooLarge
from bioclip_search.photo import THUMBNAIL_SIZE, content_hash, open_photo, read_photo, thumbnail
from bioclip_search.preprocessing import Pixels, Preprocessing
from indexer.plan import SeenFile
from indexer.stage import Stopwatch

__all__ = ["Decoded", "Known", "Outcome", "Unusable", "decode"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A photo ready to be embedded.

    `pixels` are uint8 [size, size, 3], `thumbnail` is a JPEG, `width` and `height` are the upright
    picture's in pixels.
    """

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


Outcome = Decoded | Known | Unusable


def decode(seen: SeenFile, preprocessing: Preprocessing, known: Container[str], reading: Stopwatch) -> Outcome:
    """Read one file once: hash it, and decode it unless its content is known; `reading` times the disk."""
    try:
        data = reading.timed(read_photo, seen.place.file)
        digest = content_hash(data)
        if digest in known:
            return Known(seen, digest)
        opened = open_photo(data, max(preprocessing.size, THUMBNAIL_SIZE), seen.place.path)
        pixels = preprocessing.apply(opened.image)
        return Decoded(seen, digest, opened.width, opened.height, pixels, thumbnail(opened.image))
    except PhotoError as error:
        return Unusable(seen, str(error))
    except MemoryError:
        return Unusable(seen, str(PhotoTooLarge("there is not enough memory to decode this picture")))
