"""Where the photo of a query comes from: files, standard input, addresses; the whole or a region."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import draw_photo, write_dng
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops
from web_server import sends, serving, status

from bioclip_search import photo, sources
from bioclip_search.errors import QueryError
from bioclip_search.photo import open_photo
from bioclip_search.region import Region
from bioclip_search.sources import QueryPhoto, decode, read_source


def encode(image: Image.Image, format_: str = "JPEG", **options: object) -> QueryPhoto:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return QueryPhoto(buffer.getvalue(), "", "drawn.jpg")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures at the same small size, in grey levels."""
    size = (48, 48)
    levels = ImageChops.difference(one.resize(size), other.resize(size))
    return float(np.asarray(levels, dtype=float).mean())


def stand_in(monkeypatch: pytest.MonkeyPatch, stream: io.BufferedIOBase) -> None:
    """Let the stream be the standard input of this test."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))


@pytest.fixture(scope="module")
def landscape() -> Image.Image:
    """A smooth picture of 1600 × 1200 pixels in which no place looks like another."""
    across, down = np.meshgrid(np.linspace(0, 1, 1600), np.linspace(0, 1, 1200))
    waves = np.stack([across, down, (np.sin(across * 40) + np.cos(down * 30) + 2) / 4], axis=-1)
    return Image.fromarray((waves * 255).astype(np.uint8))


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    """Its bytes are untouched, so that the catalogue knows them again."""
    path = draw_photo(tmp_path / "moth.png", seed=1)
    found = read_source(str(path))
    assert (found.data, found.name, found.shown) == (path.read_bytes(), "moth.png", str(path))
    assert decode(found, needed=32).tobytes() == open_photo(path).image.tobytes()


@pytest.mark.parametrize("name", ["nowhere.jpg", "", "a\x1b[31m.jpg", "\udcff.jpg", "a\0b", "a" * 5_000])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    """Missing, a folder, no name at all: no control code reaches the terminal."""
    with pytest.raises(QueryError, match="name another") as raised:
        read_source(f"{tmp_path}/{name}")
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("address", ["ftp://host/moth.jpg", "file:///etc/passwd", "S3://bucket/moth.jpg"])
def test_other_addresses_than_of_the_web_are_named(address: str) -> None:
    """The sentence tells what can be given instead."""
    with pytest.raises(QueryError, match="http:// or https://"):
        read_source(address)


def test_a_photo_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As bytes, to the end."""
    moth = encode(Image.new("RGB", (64, 48), (200, 30, 30)))
    stand_in(monkeypatch, io.BytesIO(moth.data))
    found = read_source("-")
    assert found.data == moth.data
    assert decode(found, needed=32).size == (64, 48)


def test_a_pipe_reaches_the_program_as_bytes() -> None:
    """Newlines and bytes that are no text arrive as they are."""
    data = bytes(range(256)) * 8_000
    program = (
        "import hashlib; from bioclip_search.sources import read_source;"
        "print(hashlib.sha256(read_source('-').data).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == photo.content_hash(data)


def test_standard_input_without_a_photo_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal is not waited for; nothing, no stream and a closed one are told apart from a photo."""

    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    stand_in(monkeypatch, Terminal(b"moth"))
    with pytest.raises(QueryError, match="no photo on standard input"):
        read_source("-")
    stand_in(monkeypatch, io.BytesIO())
    with pytest.raises(QueryError, match="is empty"):
        read_source("-")
    sys.stdin.close()
    with pytest.raises(QueryError, match="cannot be read"):
        read_source("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(QueryError, match="no photo on standard input"):
        read_source("-")


def test_standard_input_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read no further than the limit, for it may have no end."""
    stand_in(monkeypatch, io.BytesIO(bytes(5_000_000)))
    monkeypatch.setattr(sources, "MAX_STREAM_BYTES", 1_000_000)
    with pytest.raises(QueryError, match="larger than 1 MB"):
        read_source("-")
    assert sys.stdin.buffer.tell() < 5_000_000


def test_a_photo_is_fetched_from_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its name; where a server hides that behind a redirect, the one that was asked for."""
    monkeypatch.setenv("no_proxy", "*")
    moth = encode(Image.new("RGB", (64, 48)))
    with serving() as site:
        hidden = site.url("/a8f3", sends(moth.data))
        found = read_source(site.url("/moth.jpg", status(302, Location="/a8f3")))
        assert (found.data, found.name, found.shown) == (moth.data, "moth.jpg", f"http://{site.host}/moth.jpg")
        assert read_source(hidden.replace("http", "HTTP")).name == "a8f3"
    assert decode(found, needed=32).size == (64, 48)


def test_what_is_no_picture_is_named_by_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a stream and an address each say where the trouble is, and no password."""
    monkeypatch.setenv("no_proxy", "*")
    (tmp_path / "notes.txt").write_text("no picture")
    stand_in(monkeypatch, io.BytesIO(b"no picture"))
    with serving() as site:
        site.url("/notes", sends(b"no picture"))
        found = [
            (read_source(str(tmp_path / "notes.txt")), "notes.txt"),
            (read_source("-"), "from standard input"),
            (read_source(f"http://curator:secret@{site.host}/notes"), f"http://{site.host}/notes"),
        ]
    for source, shown in found:
        with pytest.raises(QueryError, match="not a picture") as raised:
            decode(source, needed=32)
        assert shown in str(raised.value)
        assert "secret" not in str(raised.value)


def test_http_is_imported_only_for_an_address(tmp_path: Path) -> None:
    """A photo that is a file costs no more than before."""
    path = draw_photo(tmp_path / "moth.png", seed=1)
    program = (
        "import sys; from bioclip_search.sources import decode, read_source;"
        "decode(read_source(sys.argv[1]), 32);"
        "print({'http.client', 'ssl', 'urllib.request', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_a_region_the_photo_is_decoded_as_in_indexing(landscape: Image.Image) -> None:
    """The same pixels, so the same embedding."""
    moth = encode(landscape)
    assert decode(moth, needed=64).tobytes() == open_photo(moth.data, 64).image.tobytes()


@pytest.mark.parametrize(
    "region",
    ["0,0,1600,1200", "25%,25%,50%,50%", "400,300,200,100", "1590,1190,10,10", "0,600,1600,40", "777,0,1,1200"],
)
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "JPEG2000"])
def test_a_region_of_a_reduced_picture_is_the_region_of_the_whole(
    landscape: Image.Image, region: str, format_: str
) -> None:
    """It shows the same, with as many pixels as are needed where the original has them."""
    moth = encode(landscape, format_)
    box = Region.parse(region).box(1600, 1200)
    expected = open_photo(moth.data).image.crop(box)
    found = decode(moth, needed=64, region=Region.parse(region))
    assert min(found.size) >= min(64, *expected.size)
    assert difference(found, expected) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_is_taken_in_the_upright_picture(landscape: Image.Image, orientation: int) -> None:
    """However the camera was held, the region is what a person sees there."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    moth = encode(landscape, exif=exif)
    upright = open_photo(moth.data).image
    size = (1600, 1200) if orientation < 5 else (1200, 1600)
    assert upright.size == size
    for text in ("100,50,300,200", "5%,70%,30%,20%"):
        region = Region.parse(text)
        assert difference(decode(moth, needed=32, region=region), upright.crop(region.box(*size))) < 3
    with pytest.raises(QueryError, match=f"{size[0]} × {size[1]} pixels"):
        decode(moth, needed=32, region=Region.parse("0,0,1601,1"))


def test_a_region_of_a_raw_photo_is_taken(tmp_path: Path) -> None:
    """In pixels of the developed picture, though it is developed at half its size at first."""
    pytest.importorskip("rawpy")
    found = read_source(str(write_dng(tmp_path / "moth.dng", size=(256, 192))))
    assert decode(found, needed=32).size == (128, 96)
    assert decode(found, needed=32, region=Region.parse("10,10,40,40")).size == (40, 40)


def test_a_region_that_cannot_be_decoded_in_full_is_coarser(
    landscape: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of decoded pixels holds for regions too; what is shown is the same."""
    monkeypatch.setattr(photo, "MAX_DECODED_PIXELS", 500_000)
    moth = encode(landscape)
    region = Region.parse("800,600,100,80")
    found = decode(moth, needed=64, region=region)
    assert found.size == (50, 40)
    assert difference(found, landscape.crop(region.box(1600, 1200))) < 3
    assert decode(moth, needed=64, region=Region.parse("800,600,1,1")).size == (1, 1)


@given(st.data(), st.sampled_from(["JPEG", "PNG"]), st.integers(1, 300), st.integers(1, 300))
def test_a_region_is_never_empty(data: st.DataObject, format_: str, width: int, height: int) -> None:
    """Every box of an original has pixels, however small and however far the picture is reduced."""
    moth = encode(Image.new("RGB", (width, height), (200, 30, 30)), format_)
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    size = data.draw(st.integers(1, width - left)), data.draw(st.integers(1, height - top))
    found = decode(moth, data.draw(st.integers(1, 40)), Region(left, top, *size))
    assert min(found.size) >= 1
    red, _, blue = found.getpixel((0, 0))
    assert red > 150 > blue
