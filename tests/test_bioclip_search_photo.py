"""Photos: anything Pillow reads becomes upright RGB as a person sees it."""

import contextlib
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bioclip_search import photo
from bioclip_search.errors import PhotoError, PhotoTooLarge, UnreadablePhoto, UnsupportedPhoto
from bioclip_search.photo import open_photo, thumbnail


def encode(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def pixel(data: bytes, at: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    value = open_photo(data).image.getpixel(at)
    assert isinstance(value, tuple)
    return value


@pytest.mark.parametrize("format_", ["JPEG", "TIFF", "PNG"])
def test_a_photo_taken_sideways_stands_upright(format_: str) -> None:
    """EXIF orientation 6 turns the left edge of the file into the top of the picture."""
    image = Image.new("RGB", (64, 32), "white")
    image.paste((0, 0, 0), (0, 0, 16, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = open_photo(encode(image, format_, exif=exif))
    assert (opened.width, opened.height) == opened.image.size == (32, 64)
    assert opened.image.getpixel((16, 4))[0] < 60
    assert opened.image.getpixel((16, 60))[0] > 200


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(mode: str) -> None:
    """A cut-out specimen has white around it, whatever colour hides under its transparency."""
    assert pixel(encode(Image.new(mode, (8, 8)), "PNG")) == (255, 255, 255)


def test_a_transparent_palette_entry_is_white() -> None:
    """Palette transparency counts as transparency."""
    image = Image.new("P", (8, 8), 0)
    image.putpalette([200, 0, 0])
    assert pixel(encode(image, "PNG", transparency=0)) == (255, 255, 255)
    assert pixel(encode(image, "PNG")) == (200, 0, 0)


def test_cmyk_becomes_rgb() -> None:
    """A print-ready file is shown in its colours."""
    red, green, blue = pixel(encode(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95))
    assert red > 200
    assert max(green, blue) < 60


def test_sixteen_bit_grey_is_scaled_and_not_cut_off() -> None:
    """Half of 65,535 is middle grey; Pillow's own conversion would make it white."""
    values = np.full((8, 8), 32_768, dtype=np.uint16)
    assert pixel(encode(Image.fromarray(values), "TIFF")) == (128, 128, 128)
    assert pixel(encode(Image.fromarray(values), "PNG")) == (128, 128, 128)


def test_floating_point_grey_between_zero_and_one_keeps_its_lightness() -> None:
    """A TIFF of floats is scaled by its range, and NaN is black."""
    values = np.full((8, 8), 0.5, dtype=np.float32)
    values[7, 7] = np.nan
    data = encode(Image.fromarray(values), "TIFF")
    assert pixel(data) == (128, 128, 128)
    assert pixel(data, (7, 7)) == (0, 0, 0)


def test_the_first_page_of_several_is_taken() -> None:
    """A multi-page TIFF and an animation are read by their first picture."""
    pages = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    assert pixel(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])) == (255, 0, 0)
    assert pixel(encode(pages[0], "GIF", save_all=True, append_images=pages[1:])) == (255, 0, 0)


@pytest.mark.parametrize("format_", ["JPEG", "JPEG2000"])
def test_a_large_picture_is_decoded_at_reduced_scale(format_: str) -> None:
    """Only about as many pixels are decoded as are needed; the size told is the original's."""
    data = encode(Image.linear_gradient("L").resize((2048, 1024)).convert("RGB"), format_)
    opened = open_photo(data, needed=64)
    assert (opened.width, opened.height) == (2048, 1024)
    assert 64 <= min(opened.image.size) < 300
    full = open_photo(data).image.resize((64, 64))
    reduced = opened.image.resize((64, 64))
    assert np.abs(np.asarray(full, float) - np.asarray(reduced, float)).mean() < 2


def test_heic_is_read_with_its_extra_and_named_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos of a telephone are decoded upright; without the package the sentence names the extra."""
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(buffer)
    opened = open_photo(buffer.getvalue())
    assert (opened.width, opened.height) == (64, 48)
    assert opened.image.getpixel((30, 20))[0] > 150
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedPhoto, match=r"bioclip-search\[heic\]"):
        open_photo(buffer.getvalue())


def test_a_picture_beyond_the_limits_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be reduced may have fewer pixels than one that can."""
    monkeypatch.setattr(photo, "MAX_DECODED_PIXELS", 10_000)
    monkeypatch.setattr(photo, "MAX_PIXELS", 1_000_000)
    image = Image.new("RGB", (800, 800))
    with pytest.raises(PhotoTooLarge, match="reduced scale"):
        open_photo(encode(image, "PNG"), needed=32)
    with pytest.raises(PhotoTooLarge, match="reduced scale"):
        open_photo(encode(image, "JPEG", progressive=True), needed=32)
    assert open_photo(encode(image, "JPEG"), needed=32).image.size == (100, 100)
    with pytest.raises(PhotoTooLarge, match="gigapixel"):
        open_photo(encode(Image.new("L", (1001, 1000)), "PNG"))


def test_bad_files_are_named_problems(tmp_path: Path) -> None:
    """Empty, missing, foreign and truncated files each raise their own error."""
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnreadablePhoto, match="empty"):
        open_photo(tmp_path / "empty.jpg")
    with pytest.raises(UnreadablePhoto, match="cannot be read"):
        open_photo(tmp_path / "nowhere.jpg")
    with pytest.raises(UnsupportedPhoto, match="not a picture"):
        open_photo(b"catalogNumber,scientificName\n")
    whole = encode(Image.effect_noise((200, 200), 90), "JPEG")
    with pytest.raises(UnreadablePhoto, match="damaged"):
        open_photo(whole[: len(whole) // 2])


@given(st.sampled_from(["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP"]), st.data())
def test_damage_never_raises_anything_but_a_photo_error(format_: str, data: st.DataObject) -> None:
    """Whatever bytes are overwritten, the photo is decoded or named as a problem."""
    whole = bytearray(encode(Image.linear_gradient("L").resize((24, 24)).convert("RGB"), format_))
    start = data.draw(st.integers(0, len(whole) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=16))
    whole[start : start + len(noise)] = noise
    with contextlib.suppress(PhotoError):
        assert open_photo(bytes(whole), needed=16).image.mode == "RGB"


def test_a_thumbnail_is_a_small_jpeg_with_the_same_proportions() -> None:
    """The longer side becomes 256 pixels; a smaller picture is not blown up."""
    small = Image.open(io.BytesIO(thumbnail(Image.new("RGB", (1000, 500)))))
    assert (small.format, small.size) == ("JPEG", (256, 128))
    assert Image.open(io.BytesIO(thumbnail(Image.new("RGB", (20, 10))))).size == (20, 10)
