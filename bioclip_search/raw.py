"""Photos as cameras record them (DNG, CR2, NEF, ARW …), with the optional package rawpy.

A RAW file is a TIFF or a container of its own whose first picture may be a stamp of 160 pixels, so
that it is told by its suffix and never by what a TIFF reader finds in it.
"""

import io
from pathlib import PurePath

import numpy as np
from PIL import Image

from bioclip_search.errors import UnreadablePhoto, UnsupportedPhoto

__all__ = ["RAW_SUFFIXES", "is_raw", "open_raw"]

RAW_SUFFIXES = (
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf",
    ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
)  # fmt: skip


def is_raw(name: str) -> bool:
    """Whether a file is a RAW photo by its name."""
    return PurePath(name).suffix.lower() in RAW_SUFFIXES


def open_raw(data: bytes, needed: int | None = None) -> tuple[Image.Image, int, int]:
    """Develop a RAW photo: upright RGB, and the upright width and height of the whole picture in pixels.

    With `needed` (pixels), the picture is developed at half its size where that has as many on its
    shorter side.

    Raises UnsupportedPhoto or UnreadablePhoto.
    """
    try:
        import rawpy
    except ImportError as error:
        raise UnsupportedPhoto("this is a RAW photo; install bioclip-search[raw] to have it decoded") from error
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
            turned = sizes.flip in (5, 6)
            width, height = (sizes.height, sizes.width) if turned else (sizes.width, sizes.height)
            half = needed is not None and min(width, height) >= 2 * needed
            pixels: np.ndarray = raw.postprocess(use_camera_wb=True, half_size=half, output_bps=8)
    except rawpy.LibRawFileUnsupportedError as error:
        raise UnsupportedPhoto("this RAW photo is of a camera that cannot be decoded") from error
    except rawpy.LibRawError as error:
        raise UnreadablePhoto(f"the RAW photo is damaged ({_reason(error)})") from error
    return Image.fromarray(pixels).convert("RGB"), width, height


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
