"""What reaches the terminal, the pipe and the shell: codes, names in any script, nothing that is obeyed."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Command, draw_photo


def start(*arguments: object, catalogue: Path, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """The command in a process of its own, its output in a pipe."""
    variables = {**os.environ, "BIOCLIP_SEARCH_CATALOGUE": str(catalogue), **environment}
    words = [sys.executable, "-m", "bioclip_search", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, env=variables, check=False)


def test_no_spreadsheet_runs_a_cell_of_any_csv(indexed: Path, run: Command, tmp_path: Path) -> None:
    """What begins like a formula gets an apostrophe, in `metadata report` and `search` alike; numbers get none."""
    (tmp_path / "t.csv").write_text("catalogNumber,genus\n=HYPERLINK(1),Danaus\n-12,Danaus\n", encoding="utf-8")
    report = run("metadata", "report", tmp_path / "t.csv", "--format", "csv").out
    rows = [row for row in csv.DictReader(io.StringIO(report)) if row["catalogNumber"]]
    assert [row["catalogNumber"] for row in rows] == ["'=HYPERLINK(1)", "-12"]
    photo = draw_photo(indexed / "@x.jpg", seed=70)
    run("index", indexed)
    assert ",'@x.jpg," in run("search", "--image", photo, "-k", 1, "--format", "csv").out


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_an_output_that_is_full_or_closed_is_no_traceback(indexed: Path, catalogue_folder: Path) -> None:
    """A full disk is an error with a sentence; a reader that has seen enough is none."""
    variables = {**os.environ, "BIOCLIP_SEARCH_CATALOGUE": str(catalogue_folder)}
    words = f"{sys.executable} -m bioclip_search taxa"
    for redirected, code in (("> /dev/full", 2), ("| true; exit ${PIPESTATUS[0]}", 0), (">&-", 0)):
        result = subprocess.run(
            ["bash", "-c", f"{words} {redirected}"], env=variables, capture_output=True, text=True, check=False
        )
        assert (result.returncode, "Traceback" in result.stderr) == (code, False), redirected
    assert indexed.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed there")
def test_names_reach_a_pipe_as_they_are(indexed: Path, run: Command, catalogue_folder: Path) -> None:
    """Whatever the locale: UTF-8; names with a newline survive in paths0."""
    names = ["Řím 🦋.png", "new\nline.png"]
    for number, name in enumerate(names):
        draw_photo(indexed / name, seed=60 + number)
    run("index", indexed)
    arguments = ("search", "--image", indexed / names[1], "-k", 2)
    listed = start(*arguments, "--format", "paths0", catalogue=catalogue_folder, PYTHONIOENCODING="cp1252")
    assert str(indexed / names[1]).encode() in listed.stdout.split(b"\0")
    listed = start("search", "--image", indexed / names[0], "-k", 1, "--format", "paths", catalogue=catalogue_folder)
    assert listed.stdout.decode() == f"{indexed / names[0]}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("format_", ["table", "csv", "paths", "json"])
def test_no_format_lets_a_name_command_a_terminal(
    format_: str, indexed: Path, run: Command, catalogue_folder: Path
) -> None:
    """Escape codes in file names are shown, not sent."""
    import pty

    draw_photo(indexed / "e\x1b]0;evil\x07.png", seed=80)
    run("index", indexed)
    ours, theirs = pty.openpty()
    arguments = ["search", "--image", str(indexed / "e\x1b]0;evil\x07.png"), "-k", "1", "--format", format_]
    subprocess.run(
        [sys.executable, "-m", "bioclip_search", *arguments],
        stdout=theirs,
        env={**os.environ, "BIOCLIP_SEARCH_CATALOGUE": str(catalogue_folder), "COLUMNS": "300"},
        check=True,
    )
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    assert b"evil" in shown
    assert b"\x1b]0;" not in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""  # the other end was closed


@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[31mevil"],
        ["serch", "monarch"],
        ["search", "x", "--text-weight", "2"],
        ["search", "--taxon", ""],
        ["search", "x", "--device", "toaster"],
        ["search", "x", "--dtype", "float64"],
        ["index", "~nobody-of-this-name/x"],
        ["index", "a" * 5_000],
        ["taxa", "\udcff"],
        ["relocate", "\udcff", "x"],
        ["info", "--catalogue", "\udcff"],
        ["demo", "."],
    ],
)
def test_a_wrong_call_is_one_sentence(arguments: list[str], indexed: Path, run: Command) -> None:
    """Exit code 2, one line, nothing that a terminal obeys."""
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Error: ")
    assert len(result.err.splitlines()) == 1
    assert "\x1b" not in result.err
    assert indexed.exists()


def test_a_misspelt_command_is_answered_with_the_near_one(run: Command) -> None:
    """`serch` means `search`; other words are taken for a query."""
    assert "bioclip-search search" in run("serch", "monarch").err
    assert 'bioclip-search search "pinned wasp"' in run("pinned", "wasp").err


@pytest.mark.parametrize("weight", ["2.5", "+2.5", "25e-1", ".25E1", "2.50"])
def test_a_weight_is_any_number(indexed: Path, run: Command, weight: str) -> None:
    """However a number is written, words are found by it and not by its digits."""
    (hit,) = run("search", f"{weight}:moth", "--why", "-k", 1, "--format", "json").json
    assert [(part["part"], part["weight"]) for part in hit["why"]] == [("moth", 2.5)]


@pytest.mark.parametrize("words", ["1,5:moth", "1.2.3:moth", "-1,000.5:moth", "..5:moth"])
def test_what_looks_like_a_weight_and_is_none_is_told(indexed: Path, run: Command, words: str) -> None:
    """It would be searched for as words, without a hint; with a weight of its own it is."""
    result = run("search", "--not", words)
    assert (result.code, "is no weight" in result.err, "Traceback" in result.err) == (2, True, False)
    (hit,) = run("search", f"1:{words}", "--why", "-k", 1, "--format", "json").json
    assert [part["part"] for part in hit["why"]] == [words]


@pytest.mark.parametrize("words", ["MCZ:1234", "inf:moth", "12-34:5", "wing: dorsal", "e5:moth", ",:moth"])
def test_words_with_a_colon_are_words(indexed: Path, run: Command, words: str) -> None:
    """What does not look like a number is no weight."""
    (hit,) = run("search", words, "--why", "-k", 1, "--format", "json").json
    assert [(part["part"], part["weight"]) for part in hit["why"]] == [(words, 1.0)]


def test_weights_must_be_finite(indexed: Path, run: Command) -> None:
    """A number that no computer holds is no weight."""
    result = run("search", "x", "--image", f"{'9' * 400}:{indexed / 'drawer0' / 'CAT-000.jpg'}")
    assert (result.code, "finite" in result.err) == (2, True)
