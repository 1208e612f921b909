"""A folder of everything that goes wrong: every file is indexed or becomes a problem with a name."""

import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers import Command, draw_photo, write_dng
from PIL import Image

GRADIENT = np.linspace(0, 65_535, 64 * 48).reshape(48, 64)


def bomb(path: Path, width: int, height: int) -> None:
    """A black-and-white PNG of a gigapixel in a few hundred kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + width // 8) * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def frames(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (40, 30), (60 * number, 0, 0)) for number in range(count)]


def build(folder: Path) -> tuple[set[str], dict[str, str]]:
    """Write the corpus; returns the names that are to be indexed, and a part of the reason for the others."""
    whole = draw_photo(folder / "whole.jpg", seed=1).read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.tif").touch()
    (folder / "zeros.jpg").write_bytes(bytes(10_000))
    (folder / "text.jpg").write_text("Dear colleague,\n")
    (folder / "postscript.jpg").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    (folder / "wrong suffix.tif").write_bytes(draw_photo(folder / "source.png", seed=2).read_bytes())
    (folder / "no suffix").write_bytes(draw_photo(folder / "source.jpg", seed=3).read_bytes())
    (folder / "README").write_text("not a photo, and not meant to be one")
    bomb(folder / "bomb.png", 32_000, 30_000)
    Image.new("CMYK", (40, 30), (0, 255, 255, 0)).save(folder / "cmyk.jpg")
    Image.fromarray(GRADIENT.astype(np.uint16)).save(folder / "deep.tif")
    Image.fromarray(GRADIENT.astype(np.float32)).save(folder / "float.tif")
    Image.new("P", (40, 30), 3).save(folder / "palette.png", transparency=3)
    Image.new("1", (40, 30), 1).save(folder / "bits.tif", compression="group4")
    first, *others = frames(3)
    first.save(folder / "animated.gif", save_all=True, append_images=others)
    first.save(folder / "animated.webp", save_all=True, append_images=others)
    first.save(folder / "pages.tif", save_all=True, append_images=others)
    Image.new("RGB", (1, 1)).save(folder / "one pixel.bmp")
    Image.new("RGB", (20_000, 2), "red").save(folder / "strip.png")
    write_dng(folder / "raw.dng")
    (folder / "broken.dng").write_bytes((folder / "raw.dng").read_bytes()[:300])
    (folder / "broken.cr2").write_text("not raw")
    indexed = {
        *(
            "whole.jpg",
            "wrong suffix.tif",
            "no suffix",
            "source.png",
            "source.jpg",
            "cmyk.jpg",
            "deep.tif",
            "float.tif",
        ),
        *("palette.png", "bits.tif", "animated.gif", "animated.webp", "pages.tif", "one pixel.bmp", "strip.png"),
        "raw.dng",
    }
    problems = {
        "truncated.jpg": "damaged",
        "empty.tif": "empty",
        "zeros.jpg": "not a picture",
        "text.jpg": "not a picture",
        "postscript.jpg": "not a picture",
        "bomb.png": "960 megapixels",
        "broken.dng": "RAW photo",
        "broken.cr2": "RAW photo",
    }
    return indexed, problems


def test_every_file_is_indexed_or_a_named_problem(tmp_path: Path, run: Command, small_model: Path) -> None:
    """Nothing stops the run, nothing is passed over in silence, and a mended file is taken up."""
    folder = tmp_path / "p"
    indexed, expected = build(folder)
    report = run("index", folder, "--model", small_model, "--format", "json").json
    problems = {Path(problem["path"]).name: problem["reason"] for problem in report["problems"]}
    assert problems.keys() == expected.keys()
    assert [name for name, part in expected.items() if part not in problems[name]] == []
    assert report["new"] == len(indexed)
    listed = run("problems", "--format", "json").json
    assert {Path(problem["path"]).name for problem in listed} == expected.keys()
    draw_photo(folder / "text.jpg", seed=9)
    assert run("index", folder, "--format", "json").json["new"] == 1
    assert len(run("problems", "--format", "json").json) == len(expected) - 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs a path longer than the system opens")
def test_a_path_that_is_too_long_is_a_named_problem(tmp_path: Path, run: Command, small_model: Path) -> None:
    """Folders below 4,096 bytes of path can be made from within, and opened by nobody."""
    draw_photo(tmp_path / "p" / "a.jpg", seed=1)
    at = os.open(tmp_path / "p", os.O_RDONLY)
    for _ in range(17):
        os.mkdir("d" * 250, dir_fd=at)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    report = run("index", tmp_path / "p", "--model", small_model, "--format", "json").json
    assert report["new"] == 1
    assert "too long" in report["problems"][0]["reason"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders there")
def test_a_named_pipe_is_never_waited_for(tmp_path: Path, run: Command, indexed: Path) -> None:
    """Among photos it is passed over; given as a photo, as records or as a folder it is an error."""
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(indexed / "pipe.jpg")
    assert run("index", indexed, "--format", "json").json["unchanged"] == 6
    for arguments in (
        ["index", tmp_path / "pipe.jpg"],
        ["search", "--image", tmp_path / "pipe.jpg"],
        ["index", indexed, "--metadata", tmp_path / "pipe.jpg"],
    ):
        assert run(*arguments).code == 2


def test_a_photo_without_a_suffix_is_found_again(indexed: Path, run: Command) -> None:
    """Named by hand or met in its folder, it is the same photo."""
    (indexed / "barcode 77").write_bytes(draw_photo(indexed.parent / "source.jpg", seed=77).read_bytes())
    assert run("index", indexed / "barcode 77", "--format", "json").json["new"] == 1
    report = run("index", indexed, "--format", "json").json
    assert (report["unchanged"], report["missing"]) == (7, 0)


def test_a_folder_of_bad_files_alone_says_so(tmp_path: Path, run: Command, small_model: Path) -> None:
    """The search over the empty catalogue that is left says that nothing was found."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.jpg").write_text("no picture")
    report = run("index", tmp_path / "p", "--model", small_model, "--format", "json").json
    assert (report["new"], report["failed"]) == (0, 1)
    assert "No photos were found" in run("search", "anything").out
