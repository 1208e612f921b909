"""Keeping a catalogue: dry runs, pruning, problems, runs, moved archives, drives that are not there."""

import csv
import io
import shutil
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
