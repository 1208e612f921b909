"""Where the photo of a query comes from: a file, standard input or an address; the whole or a region.

photo = read_source("https://example.org/moth.jpg")
image = decode(photo, needed=224, region=Region.parse("10%,20%,50%,50%"))
"""

import io
import math
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from bioclip_search.errors import PhotoError, PhotoTooLarge, QueryError
from bioclip_search.photo import OpenedPhoto, open_photo, read_photo
from bioclip_search.region import Box, Region
from bioclip_search.text import printable

__all__ = ["MAX_STREAM_BYTES", "STREAM", "QueryPhoto", "decode", "read_source"]

STREAM = "-"
MAX_STREAM_BYTES = 200_000_000

_CHUNK = 1_048_576
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QueryPhoto:
    """The bytes of a photo; `name` is its file name if it has one, `shown` what messages call it."""

    data: bytes = field(repr=False)
    name: str
    shown: str


def read_source(source: str) -> QueryPhoto:
    """Read the photo at a path, at an http:// or https:// address, or from standard input for “-”.

    A file that is called “-” is “./-”. Raises QueryError.
    """
    if source == STREAM:
        return QueryPhoto(_from_stream(), "", "from standard input")
    if _ADDRESS.match(source):
        return _from_address(source)
    return _from_file(source)


def _from_address(source: str) -> QueryPhoto:
    # HTTP and TLS are imported only where there is an address.
    from bioclip_search.download import Address, download

    asked = Address.parse(source)
    data, found = download(asked)
    return QueryPhoto(data, found.name if Path(found.name).suffix else asked.name, asked.shown)


def _from_file(source: str) -> QueryPhoto:
    scheme = _OTHER_SCHEME.match(source)
    if scheme and not os.path.lexists(source):
        raise QueryError(
            f"A photo cannot be fetched from a {scheme[1].lower()}:// address; "
            "give a path, an http:// or https:// address, or - for standard input."
        )
    path, shown = Path(source), printable(source)
    try:
        return QueryPhoto(read_photo(path), path.name, shown)
    except PhotoError as error:
        raise _unusable(shown, error) from error


def _from_stream() -> bytes:
    # A program without a console has none, and one that was closed is None too.
    stream = getattr(sys.stdin, "buffer", None)
    try:
        if stream is None or stream.isatty():
            raise QueryError(
                "There is no photo on standard input; send one (bioclip-search search --image - < photo.jpg), "
                "or give the path of one."
            )
        data = _read_bounded(stream)
    except MemoryError as error:
        raise QueryError("There is not enough memory for the photo on standard input; send a smaller one.") from error
    except (OSError, ValueError) as error:
        reason = printable(getattr(error, "strerror", None) or str(error))
        raise QueryError(f"Standard input cannot be read ({reason}); give the path of a photo.") from error
    if not data:
        raise QueryError("Standard input is empty; send a photo into it, or give the path of one.")
    return data


def _read_bounded(stream: io.BufferedIOBase) -> bytes:
    data = io.BytesIO()
    while chunk := stream.read(_CHUNK):
        data.write(chunk)
        if data.tell() > MAX_STREAM_BYTES:
            raise QueryError(
                f"The photo on standard input is larger than {MAX_STREAM_BYTES / 1e6:.0f} MB; "
                "write it to a file and give its path."
            )
    return data.getvalue()


def decode(photo: QueryPhoto, needed: int, region: Region | None = None) -> Image.Image:
    """The photo, or a region of it, as upright RGB with at least `needed` pixels on its shorter side.

    It has fewer where the original has, or where more could not be decoded safely. Raises QueryError.
    """
    try:
        opened = open_photo(photo.data, needed, photo.name)
        if region is None:
            return opened.image
        box = region.box(opened.width, opened.height)
        opened = _with_detail(photo, opened, box, needed)
    except PhotoError as error:
        raise _unusable(photo.shown, error) from error
    return opened.image.crop(_reduced(box, opened))


def _with_detail(photo: QueryPhoto, opened: OpenedPhoto, box: Box, needed: int) -> OpenedPhoto:
    """The photo opened again where it was reduced too far for a box in pixels of the original."""
    left, top, right, bottom = box
    whole = min(opened.width, opened.height)
    wanted = math.ceil(needed * whole / min(right - left, bottom - top, whole))
    while wanted > needed and opened.image.size != (opened.width, opened.height):
        try:
            return open_photo(photo.data, wanted, photo.name)
        except PhotoTooLarge:
            wanted //= 2  # a coarser region is better than none
    return opened


def _reduced(box: Box, opened: OpenedPhoto) -> Box:
    """A box in pixels of the original in pixels of the decoded picture; at least one of them."""
    left, right = _scaled(box[0], box[2], opened.image.width / opened.width, opened.image.width)
    top, bottom = _scaled(box[1], box[3], opened.image.height / opened.height, opened.image.height)
    return left, top, right, bottom


def _scaled(start: int, end: int, scale: float, length: int) -> tuple[int, int]:
    first = min(round(start * scale), length - 1)
    return first, min(max(round(end * scale), first + 1), length)


def _unusable(shown: str, error: PhotoError) -> QueryError:
    return QueryError(f"The photo {shown} cannot be searched with ({printable(str(error))}); name another.")
