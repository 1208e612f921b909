"""One sample as it is read from a shard: what its JSON says, and its picture. Neither is trusted."""

import io
import json
from dataclasses import dataclass
from typing import Any

from PIL import Image

from bioclip_search.photo import MAX_DECODED_PIXELS
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import clean

__all__ = ["Sample", "picture_of", "sample_of"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the JSON of a sample says; `captions` are sentences of its own that are true of it."""

    taxon: Taxon
    key: str | None = None
    specimen: str | None = None
    captions: tuple[str, ...] = ()


def sample_of(content: bytes) -> Sample:
    """Read the JSON of a sample, as `sample_json` writes it. Raises ValueError with the reason."""
    try:
        document = json.loads(content)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("its JSON is no object")  # noqa: TRY004 (as for all else that is wrong with a file)
    captions = document.get("captions") or []
    if not isinstance(captions, list) or not all(isinstance(one, str) for one in captions):
        raise ValueError("its captions are no list of texts")
    try:
        taxon = Taxon.from_ranks(document)
    except TypeError as error:
        raise ValueError("one of its names is no text") from error
    return Sample(taxon, _word(document, "key"), _word(document, "specimen"), tuple(filter(None, map(clean, captions))))


def _word(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    return None if value is None else clean(str(value))


def picture_of(content: bytes) -> Image.Image:
    """The picture of a sample, RGB. Raises ValueError for what is no JPEG, or too large a one."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as opened:
            pixels = opened.width * opened.height
            return opened.convert("RGB") if pixels <= MAX_DECODED_PIXELS else _too_large(pixels)
    except MemoryError as error:
        raise ValueError("there is not enough memory to decode its picture") from error
    except Exception as error:
        # Pillow lets whatever went wrong inside it escape: each means that this picture cannot be decoded.
        raise ValueError(f"its picture: {error or type(error).__name__}") from error


def _too_large(pixels: int) -> Image.Image:
    raise ValueError(f"{pixels:,} pixels are more than the {MAX_DECODED_PIXELS:,} that are decoded")
