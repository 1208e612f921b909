"""Any picture file to upright RGB, the way a person sees it.

Decoding is bounded: a picture may have up to a gigapixel if its decoder can reduce it on the
way (JPEG, JPEG 2000), and `MAX_DECODED_PIXELS` of it ever reach memory. The file is only read.
"""

import hashlib
import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bioclip_search.errors import PhotoError, PhotoTooLarge, UnreadablePhoto, UnsupportedPhoto, VanishedPhoto
from bioclip_search.raw import is_raw, open_raw

__all__ = [
    "MAX_DECODED_PIXELS",
    "MAX_PIXELS",
    "THUMBNAIL_SIZE",
    "OpenedPhoto",
    "content_hash",
    "open_photo",
    "read_photo",
    "thumbnail",
]

MAX_PIXELS = 1_000_000_000
MAX_DECODED_PIXELS = 200_000_000
THUMBNAIL_SIZE = 256

# Pillow's own limit is one global number that cannot know whether a decoder reduces;
# open_photo checks every picture against the two limits above before it decodes.
Image.MAX_IMAGE_PIXELS = None

# Pillow warns about odd metadata that does not keep it from decoding. Set once, for
# warnings.catch_warnings is not safe where several threads decode.
warnings.filterwarnings("ignore", module=r"PIL\.")

# Whatever a file may claim to be: formats that are run rather than decoded (PostScript) are left out.
_FORMATS = (
    "JPEG", "MPO", "JPEG2000", "TIFF", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "DIB", "TGA", "PPM",
)  # fmt: skip

MAX_FILE_BYTES = 4_000_000_000

# A decoder is asked for at least this many times the wanted pixels, so that the final
# resize still averages over real detail.
_REDUCTION_MARGIN = 2
_ORIENTATION = 0x0112
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class OpenedPhoto:
    """An upright RGB picture, perhaps reduced, and the upright size of the original in pixels."""

    image: Image.Image
    width: int
    height: int


def content_hash(data: bytes) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits (what `sha256sum` prints)."""
    return hashlib.sha256(data).hexdigest()


def read_photo(path: Path) -> bytes:
    """The bytes of a photo file. Raises UnreadablePhoto (VanishedPhoto) or PhotoTooLarge."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadablePhoto("this is not a file")
        if status.st_size > MAX_FILE_BYTES:
            raise PhotoTooLarge(
                f"the file has {status.st_size / 1e9:.0f} GB; up to {MAX_FILE_BYTES / 1e9:.0f} are read"
            )
        data = path.read_bytes()
    except MemoryError as error:
        raise PhotoTooLarge("there is not enough memory to read this file") from error
    except FileNotFoundError as error:
        raise VanishedPhoto(f"the file cannot be read ({error.strerror})") from error
    except PermissionError as error:
        raise UnreadablePhoto("there is no permission to read this file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadablePhoto(f"the file cannot be read ({reason})") from error
    if not data:
        raise UnreadablePhoto("the file is empty")
    return data


def open_photo(source: Path | bytes, needed: int | None = None, name: str = "") -> OpenedPhoto:
    """Decode a photo to upright RGB.

    EXIF orientation is applied, transparency is laid over white, 16-bit and floating-point grey
    is scaled to 8 bits, and the first page of a file with several is taken. With `needed`
    (pixels), decoders that can reduce deliver a smaller picture whose shorter side is still at
    least `needed` wherever the original's is. The `name` of the file that bytes come from tells
    camera RAW files.

    Raises UnreadablePhoto, UnsupportedPhoto or PhotoTooLarge.
    """
    data = read_photo(source) if isinstance(source, Path) else source
    try:
        if is_raw(name or str(source if isinstance(source, Path) else "")):
            return OpenedPhoto(*open_raw(data, needed))
        if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
            _learn_heif()
        Image.init()
        formats = [format_ for format_ in _FORMATS if format_ in Image.OPEN]
        with Image.open(io.BytesIO(data), formats=formats) as image:
            whole = image.size
            _check_size(whole)
            _reduce_while_decoding(image, needed, data)
            _check_decoded_size(image, whole[0] * whole[1])
            upright = _to_rgb(_upright(image))
            return OpenedPhoto(upright, *_as_upright(whole, upright.size))
    except PhotoError:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedPhoto("this is not a picture in a format that can be decoded") from error
    except MemoryError as error:
        raise PhotoTooLarge("there is not enough memory to decode this picture") from error
    except Exception as error:
        # Pillow's plugins let whatever went wrong inside them escape (SyntaxError, struct.error,
        # IndexError …): every one of them means that this file cannot be decoded.
        raise UnreadablePhoto(f"the picture is damaged ({error or type(error).__name__})") from error


def _learn_heif() -> None:
    """Let Pillow read HEIC, which needs a package of its own."""
    try:
        import pillow_heif
    except ImportError as error:
        raise UnsupportedPhoto("this is a HEIC photo; install bioclip-search[heic] to have it decoded") from error
    pillow_heif.register_heif_opener()


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PhotoTooLarge(f"{width} × {height} pixels are more than {MAX_PIXELS / 1e9:.0f} gigapixel")


def _as_upright(whole: tuple[int, int], decoded: tuple[int, int]) -> tuple[int, int]:
    """The size of the whole picture, turned as the decoded one was; some plugins turn the size on opening."""
    was_turned = (whole[0] > whole[1]) != (decoded[0] > decoded[1]) and decoded[0] != decoded[1]
    return (whole[1], whole[0]) if was_turned else whole


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF of any shape must not cost us the picture
        return 1


def _reduce_while_decoding(image: Image.Image, needed: int | None, data: bytes) -> None:
    if needed is None:
        return
    wanted = needed * _REDUCTION_MARGIN
    if image.format in ("JPEG", "MPO"):
        image.draft(image.mode, (wanted, wanted))
    elif image.format == "JPEG2000":
        halvings = (min(image.size) // wanted).bit_length() - 1
        # A property of the plugin that Pillow's own type hints hide behind Image.reduce().
        setattr(image, "reduce", max(0, min(halvings, _jpeg2000_levels(data))))  # noqa: B010


def _jpeg2000_levels(data: bytes) -> int:
    """How often the decoder can halve the picture: the COD marker's count (ISO/IEC 15444-1, A.6.1)."""
    marker = data.find(b"\xff\x52", 0, 65_536)
    return data[marker + 9] if 0 <= marker < len(data) - 9 else 0


def _check_decoded_size(image: Image.Image, original_pixels: int) -> None:
    pixels = image.size[0] * image.size[1]
    if image.format == "JPEG2000":
        pixels = original_pixels >> (2 * int(getattr(image, "_reduce", 0)))
    elif image.info.get("progressive"):
        # All coefficients of a progressive JPEG are kept until the last scan, however much it is reduced.
        pixels = original_pixels
    if pixels > MAX_DECODED_PIXELS:
        raise PhotoTooLarge(
            f"the picture has {original_pixels / 1e6:.0f} megapixels and its file cannot be decoded at reduced scale; "
            f"up to {MAX_DECODED_PIXELS / 1e6:.0f} can be decoded, or more if it is saved as a baseline JPEG"
        )


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    if _orientation(image) == 1:
        return image
    return ImageOps.exif_transpose(image)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _scaled_grey(image).convert("RGB")
    if image.mode in ("RGBa", "La"):
        image = image.convert("RGBA" if image.mode == "RGBa" else "LA")
    if "A" in image.getbands() or "transparency" in image.info:
        return _over_white(image.convert("RGBA"))
    return image.convert("RGB")


def _scaled_grey(image: Image.Image) -> Image.Image:
    """8-bit grey of a deeper one; `convert` would cut everything above 255 to white."""
    values = np.asarray(image, dtype=np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif image.mode != "F" and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    paper.alpha_composite(image)
    return paper.convert("RGB")


def thumbnail(image: Image.Image, size: int = THUMBNAIL_SIZE) -> bytes:
    """A JPEG whose longer side is at most `size` pixels; a smaller picture keeps its size."""
    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
