"""`search --preview`: thumbnails of the hits in the terminal, drawn with the image code of the terminal UI."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Command

from bioclip_search.catalogue import Catalogue
from bioclip_search.schema import photo_id
from tui.images.blocks import GLYPHS

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pager that shows colours reads the output, 60 columns wide."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_thumbnails_stand_side_by_side_with_their_captions(indexed: Path, run: Command, colours: None) -> None:
    """Three hits fit into 60 columns; below each its name, score and number; no line is wider than the terminal."""
    result = run("search", "--taxon", "Danaus", "--preview")
    assert result.code == 0, result.err
    assert "\x1b[38;2;" in result.out
    lines = _ESCAPES.sub("", result.out).splitlines()
    assert any(set(GLYPHS) & set(line) - {" "} for line in lines)
    assert any(line.count("Danaus plexippus") == 3 for line in lines)
    assert any(re.fullmatch(r"CAT-00\d +CAT-00\d +CAT-00\d *", line) for line in lines)
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("columns", [1, 7, 19, 38, 200])
def test_any_width_of_the_terminal_will_do(
    indexed: Path, run: Command, colours: None, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """In a narrow terminal they stand below each other, and smaller."""
    monkeypatch.setenv("COLUMNS", str(columns))
    result = run("search", "--taxon", "Danaus", "--preview", "--images", "blocks")
    assert result.code == 0, result.err
    assert max(len(line) for line in _ESCAPES.sub("", result.out).splitlines()) <= columns


def test_a_similarity_search_tells_the_scores(indexed: Path, run: Command, colours: None) -> None:
    """And the notes that the table has come on standard error as ever."""
    photo = indexed / "drawer0" / "CAT-000.jpg"
    result = run("search", "--image", photo, "-k", "2", "--preview")
    assert re.search(r"1\.00 CAT-000 ", _ESCAPES.sub("", result.out))


def test_no_colour_means_two_tones(indexed: Path, run: Command, colours: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is obeyed: the pictures have shapes, and no escape sequence tells a colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    out = run("search", "--taxon", "Danaus", "--preview").out
    assert not re.search(r"\x1b\[[0-9;]*[34]8;", out)
    assert set(GLYPHS) & set(out) - {" "}


def test_nothing_found_is_said(indexed: Path, run: Command, colours: None) -> None:
    """As in the table."""
    result = run("search", "--taxon", "Danaus", "--where", "country = 'Panama'", "--preview")
    assert (result.code, result.out) == (0, "No photos were found.\n")


def test_a_row_without_a_readable_thumbnail_says_so(
    indexed: Path, run: Command, colours: None, catalogue_folder: Path
) -> None:
    """Its neighbours are drawn."""
    catalogue = Catalogue.open(catalogue_folder)
    photos = sorted(catalogue.photos("genus = 'Danaus'"), key=lambda photo: photo.path)
    embeddings = catalogue.embeddings("genus = 'Danaus'")
    keys = [photo_id(photo.root, photo.path) for photo in photos]
    import numpy as np

    catalogue.upsert(photos[:2], np.stack([embeddings[key] for key in keys[:2]]), [b"", b"no JPEG"])
    assert set(Catalogue.open(catalogue_folder).thumbnails(keys)) == set(keys[1:])
    out = run("search", "--taxon", "Danaus", "--preview").out
    assert "no thumbnail" in out
    assert "unreadable" in out
    assert "\x1b[38;2;" in out


def test_file_names_and_records_cannot_give_orders_to_the_terminal(
    photos: Path, run: Command, colours: None, small_model: Path
) -> None:
    """Control codes in them are replaced."""
    table = photos / "occurrence.csv"
    table.write_text(table.read_text().replace("Danaus plexippus", "Danaus \x9b31mplexippus"), encoding="utf-8")
    (photos / "drawer0" / "CAT-000.jpg").rename(photos / "drawer0" / "\x1b]0;own\x07.jpg")
    assert run("index", photos, "--metadata", table, "--model", small_model).code == 0
    out = _ESCAPES.sub("", run("search", "--where", "kingdom is empty or kingdom = 'Animalia'", "--preview").out)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preview", "--format", "json"], "leave --format, --why and --batch out"),
        (["--preview", "--why"], "leave --format, --why and --batch out"),
        (["--preview", "--batch", "-"], "leave --format, --why and --batch out"),
        (["--images", "blocks"], "add --preview"),
        (["--preview", "--images", "none"], "'none' is not one of"),
    ],
)
def test_options_that_contradict_it_are_one_sentence(
    indexed: Path, run: Command, colours: None, arguments: list[str], said: str
) -> None:
    """A picture is no JSON."""
    result = run("search", "--taxon", "Danaus", *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_pipe_is_told_that_pictures_are_for_a_terminal(
    indexed: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what to do for a pager."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    result = run("search", "--taxon", "Danaus", "--preview")
    assert (result.code, result.out) == (2, "")
    assert "FORCE_COLOR=1" in result.err


@pytest.mark.skipif(shutil.which("script") is None, reason="needs a pseudo-terminal")
def test_in_a_multiplexer_blocks_are_drawn_and_the_terminal_is_asked_nothing(
    indexed: Path, catalogue_folder: Path, tmp_path: Path
) -> None:
    """tmux would take the question about Kitty graphics for a window title."""
    command = f"{sys.executable} -m bioclip_search search --taxon Danaus --preview"
    environment = {**os.environ, "TMUX": "/tmp/tmux-0/default,1,0", "TERM": "tmux-256color", "COLUMNS": "60"}  # noqa: S108
    environment.pop("NO_COLOR", None)
    log = tmp_path / "written"
    done = subprocess.run(
        ["script", "-qec", command, str(log)], env=environment, capture_output=True, check=True, timeout=120
    )
    written = done.stdout
    assert b"\x1b[38;5;" in written or b"\x1b[38;2;" in written
    for stray in (b"\x1bP", b"\x1b_", b"\x1b[c", b"\x1b[16t"):
        assert stray not in written


@pytest.mark.parametrize(("mode", "begins"), [("kitty", b"\x1b_G"), ("sixel", b"\x1bP")])
def test_graphics_are_printed_where_they_are_asked_for(
    indexed: Path, catalogue_folder: Path, mode: str, begins: bytes
) -> None:
    """One graphic for a row of thumbnails, and the captions below as text."""
    pytest.importorskip("textual_image")
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "60", "TERM": "xterm-256color"}
    done = subprocess.run(
        [sys.executable, "-m", "bioclip_search", "search", "--taxon", "Danaus", "--preview", "--images", mode],
        env=environment,
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert begins in done.stdout
    assert done.stdout.count(b"Danaus plexippus") == 3
