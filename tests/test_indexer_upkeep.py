"""Keeping a catalogue: dry runs, pruning, problems, runs, moved archives, drives that are not there."""

import csv
import io
import shutil
import sys
from pathlib import Path

import pytest
from helpers import Command, draw_photo


def test_a_dry_run_counts_and_does_nothing(indexed: Path, run: Command) -> None:
    """New, changed and missing photos are counted; rows and runs stay as they are."""
    draw_photo(indexed / "new.jpg", seed=9)
    draw_photo(indexed / "drawer0" / "CAT-000.jpg", seed=10, size=(50, 50))
    (indexed / "drawer0" / "CAT-001.jpg").unlink()
    report = run("index", indexed, "--dry-run", "--format", "json").json
    expected = {"new": 1, "changed": 1, "unchanged": 4, "missing": 1}
    assert {name: report[name] for name in expected} == expected
    assert len(run("runs", "--format", "json").json) == 1
    assert run("info", "--format", "json").json["missing"] == 0


def test_pruning_removes_missing_photos_and_asks_when_they_are_many(indexed: Path, run: Command) -> None:
    """Without a terminal to ask on, more than a tenth is removed only with --yes."""
    (indexed / "drawer0" / "CAT-001.jpg").unlink()
    refused = run("index", indexed, "--prune")
    assert "not pruned: 1 of 6" in refused.err
    assert run("info", "--format", "json").json["rows"] == 6
    assert run("index", indexed, "--prune", "--yes", "--format", "json").json["pruned"] == 1
    assert run("info", "--format", "json").json["rows"] == 5


def test_an_empty_mount_point_changes_nothing(indexed: Path, run: Command) -> None:
    """A folder that suddenly holds no photo is taken for a drive that is not connected."""
    shutil.move(indexed / "drawer0", indexed.parent / "unplugged")
    (indexed / "drawer0").mkdir()
    for arguments in ([indexed / "drawer0"], [indexed / "drawer0", indexed / "drawer1", "--prune", "--yes"]):
        result = run("index", *arguments)
        assert "is the drive connected?" in result.err
    assert run("info", "--format", "json").json["missing"] == 0
    assert run("info", "--format", "json").json["rows"] == 6


def test_problems_are_remembered_until_they_are_mended(indexed: Path, run: Command) -> None:
    """The list shows path and reason in every format, and a mended file leaves it."""
    (indexed / "bad.jpg").write_text("no picture")
    (indexed / "empty.jpg").touch()
    run("index", indexed)
    listed = run("problems", "--format", "json").json
    assert [Path(problem["path"]).name for problem in listed] == ["bad.jpg", "empty.jpg"]
    rows = list(csv.DictReader(io.StringIO(run("problems", "--format", "csv").out)))
    assert rows == listed
    assert "the file is empty" in run("problems").out
    draw_photo(indexed / "bad.jpg", seed=40)
    (indexed / "empty.jpg").unlink()
    assert run("index", indexed, "--format", "json").json["new"] == 1
    assert run("problems", "--format", "json").json == []


def test_runs_are_listed_with_what_they_did(indexed: Path, run: Command) -> None:
    """The last run comes first, with its counts and its model."""
    run("index", indexed)
    last, first = run("runs", "--format", "json").json
    assert (last["unchanged"], first["new"]) == (6, 6)
    assert first["model"]["dim"] == 32
    assert "6 unchanged" in run("runs").out


class _Terminal(io.StringIO):
    """A terminal at which something was typed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("command", [["forget", "{photos}"], ["restore", "1"]])
def test_no_is_an_answer(command: list[str], indexed: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes nothing, says so, and is told apart from Ctrl-C."""
    monkeypatch.setattr("sys.stdin", _Terminal("n\n"))
    result = run(*(word.format(photos=indexed) for word in command))
    assert (result.code, result.err.splitlines()[-1].endswith("Nothing was changed.")) == (1, True)
    assert run("info", "--format", "json").json["rows"] == 6


def test_what_commands_did_is_in_the_list_of_runs(indexed: Path, run: Command, tmp_path: Path) -> None:
    """Each by its own word; what was pruned belongs to the run that did it."""
    run("metadata", "import", indexed / "occurrence.csv", "--map", "sex=family")
    run("relocate", indexed / "drawer1", indexed.rename(tmp_path / "moved") / "drawer1")
    run("forget", tmp_path / "moved" / "drawer1", "--yes")
    run("relocate", indexed, tmp_path / "moved")
    (tmp_path / "moved" / "drawer0" / "CAT-000.jpg").unlink()
    run("index", tmp_path / "moved" / "drawer0", "--prune", "--yes")
    runs = run("runs", "--format", "json").json
    words = ("updated", "relocated", "forgotten", "pruned")
    assert [{word: done[word] for word in words if done.get(word)} for done in runs] == [
        {"pruned": 1},
        {"relocated": 3},
        {"forgotten": 3},
        {"relocated": 3},
        {"updated": 6},
        {},
    ]
    assert "3 forgotten" in run("runs").out
    rows = list(csv.DictReader(io.StringIO(run("runs", "--format", "csv").out)))
    assert [row["forgotten"] for row in rows if row["forgotten"] not in ("", "0")] == ["3"]
    assert "1 pruned" in run("info").out


def test_an_archive_that_moved_is_relocated_without_embedding(indexed: Path, run: Command) -> None:
    """Rows follow the folder, with their records, and the next run finds everything unchanged."""
    moved = indexed.parent / "moved"
    shutil.copytree(indexed, moved)
    shutil.rmtree(indexed)
    assert run("relocate", indexed, moved, "--format", "json").json["relocated"] == 6
    report = run("index", moved, "--format", "json").json
    assert (report["new"], report["unchanged"], report["missing"]) == (0, 6, 0)
    assert len(run("search", "--taxon", "Danaus", "--format", "json").json) == 3


@pytest.mark.parametrize("case", ["unknown", "wrong place", "same"])
def test_a_relocation_that_cannot_be_right_is_refused(case: str, indexed: Path, run: Command, tmp_path: Path) -> None:
    """Unknown folder, a folder without the photos, a folder that is the same."""
    (tmp_path / "other").mkdir()
    folders = {
        "unknown": (tmp_path / "other", indexed),
        "wrong place": (indexed, tmp_path / "other"),
        "same": (indexed, indexed),
    }
    assert run("relocate", *folders[case]).code == 2
    assert run("info", "--format", "json").json["roots"] == [str(indexed)]


def test_roots_below_a_relocated_folder_move_with_it(photos: Path, run: Command, small_model: Path) -> None:
    """A part that was indexed first, and the folder above it, both follow; so does a part alone."""
    run("index", photos / "drawer0", "--model", small_model)
    run("index", photos)
    moved = photos.rename(photos.parent / "moved")
    assert run("relocate", photos, moved, "--format", "json").json["relocated"] == 6
    assert run("index", moved, "--format", "json").json["unchanged"] == 6
    shutil.move(moved / "drawer1", moved / "cabinet")
    assert run("relocate", moved / "drawer1", moved / "cabinet", "--format", "json").json["relocated"] == 3
    report = run("index", moved, "--format", "json").json
    assert (report["unchanged"], report["new"], report["missing"]) == (6, 0, 0)


def test_a_relocation_never_covers_other_photos(tmp_path: Path, run: Command, small_model: Path) -> None:
    """Two drawers with the same file names stay two drawers, and most files must be where they are said to be."""
    for drawer, seed in (("a", 0), ("b", 50)):
        for number in range(5):
            draw_photo(tmp_path / drawer / f"IMG_{number}.png", seed=seed + number)
    run("index", tmp_path / "a", tmp_path / "b", "--model", small_model)
    refused = run("relocate", tmp_path / "a", tmp_path / "b")
    assert (refused.code, "holds IMG_" in refused.err) == (2, True)
    (tmp_path / "some").mkdir()
    shutil.copy(tmp_path / "a" / "IMG_0.png", tmp_path / "some")
    refused = run("relocate", tmp_path / "a", tmp_path / "some")
    assert (refused.code, "4 are not in" in refused.err) == (2, True)
    assert run("info", "--format", "json").json["rows"] == 10


def test_a_folder_can_be_forgotten_when_its_files_are_gone(indexed: Path, run: Command) -> None:
    """Pruning does not trust an absent folder; forgetting is said on purpose, and asks."""
    shutil.rmtree(indexed / "drawer0")
    refused = run("index", indexed / "drawer0", "--prune", "--yes")
    assert (refused.code, "bioclip-search forget" in refused.err) == (2, True)
    assert run("info", "--format", "json").json["rows"] == 6
    assert run("forget", indexed / "drawer0").code == 2
    assert run("forget", indexed / "drawer0", "--yes", "--format", "json").json["forgotten"] == 3
    assert run("info", "--format", "json").json["rows"] == 3
    assert run("forget", indexed / "drawer0", "--yes").code == 2


def test_missing_photos_are_found_only_when_asked_for(indexed: Path, run: Command) -> None:
    """What `search` gives can be opened; what is missing is marked."""
    (indexed / "drawer0" / "CAT-000.jpg").unlink()
    run("index", indexed)
    assert len(run("search", "--taxon", "Danaus", "--format", "json").json) == 2
    hits = run("search", "--taxon", "Danaus", "--include-missing", "--format", "json").json
    assert [hit["path"] for hit in hits if hit["missingSince"]] == ["drawer0/CAT-000.jpg"]
    assert "(missing)" in run("search", "--taxon", "Danaus", "--include-missing").out
    assert run("taxa", "Danaus", "--format", "json").json["count"] == 2


@pytest.mark.parametrize(
    "arguments", [["--yes"], ["--dry-run", "--prune"], ["--dry-run", "--watch"], ["--dry-run", "--model", "nosuch"]]
)
def test_an_option_that_would_be_ignored_is_an_error(arguments: list[str], indexed: Path, run: Command) -> None:
    """Nothing that was asked for is passed over in silence, in a dry run neither."""
    result = run("index", indexed, *arguments)
    assert (result.code, len(result.err.splitlines())) == (2, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_no_way_leads_into_the_photos(photos: Path, run: Command, small_model: Path) -> None:
    """A link, or a single file, does not hide that the catalogue would lie among the photos."""
    (photos.parent / "link").symlink_to(photos)
    (photos.parent / "inner").symlink_to(photos / "drawer0")
    before = sorted(photos.rglob("*"))
    for arguments in (
        [photos.parent / "link", "--catalogue", photos / "c"],
        [photos, "--catalogue", photos.parent / "inner" / "c"],
        [photos / "drawer0" / "CAT-000.jpg", "--catalogue", photos / "drawer0" / "c"],
    ):
        result = run("index", *arguments, "--model", small_model)
        assert (result.code, "never written to" in result.err) == (2, True)
    assert sorted(photos.rglob("*")) == before


def test_verbose_names_the_rates_and_the_limit(photos: Path, run: Command, small_model: Path) -> None:
    """Every stage has a rate; the limit is the one that was waited for most."""
    report = run("index", photos, "--model", small_model, "--verbose", "--format", "json").json
    assert list(report["stages"]) == ["read", "decode", "embed", "write"]
    assert all(stage["photos_per_second"] > 0 for stage in report["stages"].values())
    assert report["limit"] == max(report["stages"], key=lambda name: report["stages"][name]["waited"])
    draw_photo(photos / "new.png", seed=7)
    assert "The limit is" in run("index", photos, "-v").out


def test_how_many_photos_have_a_record_is_said(photos: Path, run: Command, small_model: Path) -> None:
    """A table that fits nothing is noticed at once."""
    (photos.parent / "other.csv").write_text("catalogNumber,genus\nX-1,Vanessa\n")
    report = run("index", photos, "--model", small_model, "--metadata", photos.parent / "other.csv")
    assert "0 of 6 photos have a record" in report.out
    report = run("index", photos, "--metadata", photos / "occurrence.csv", "--format", "json")
    assert report.json["withRecord"] == 6
