"""Indexing: only what is new or changed, nothing lost, the archive untouched."""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from helpers import Command, draw_photo, write_model

from bioclip_search.journal import COUNTS
from indexer.report import Quiet
from indexer.run import IndexOptions, index


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and modification time of every file and folder."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "", path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


def counts(run: Command, *arguments: object) -> dict[str, int]:
    result = run("index", *arguments, "--format", "json")
    assert result.code == 0, result.err
    return {name: value for name, value in result.json.items() if name in COUNTS and value}


def test_a_second_run_embeds_only_what_is_new_or_changed(indexed: Path, run: Command) -> None:
    """Unchanged photos are left alone; a new and an edited one are taken up."""
    assert counts(run, indexed) == {"unchanged": 6}
    draw_photo(indexed / "new.png", seed=50)
    draw_photo(indexed / "drawer0" / "CAT-000.jpg", seed=51, size=(120, 80))
    assert counts(run, indexed) == {"new": 1, "changed": 1, "unchanged": 5}
    (edited,) = run("search", "--image", indexed / "drawer0" / "CAT-000.jpg", "-k", 1, "--format", "json").json
    assert (edited["path"], edited["species"]) == ("drawer0/CAT-000.jpg", "Danaus plexippus")


def test_a_moved_photo_keeps_its_record_and_a_touched_one_is_unchanged(indexed: Path, run: Command) -> None:
    """The same content at a new path is the same photo; a new date alone changes nothing."""
    os.utime(indexed / "drawer0" / "CAT-001.jpg", (1, 1))
    (indexed / "drawer1" / "CAT-004.jpg").rename(indexed / "renamed.jpg")
    assert counts(run, indexed) == {"moved": 1, "unchanged": 5}
    (hit,) = run("search", "--image", indexed / "renamed.jpg", "-k", 1, "--format", "json").json
    assert (hit["path"], hit["catalogNumber"]) == ("renamed.jpg", "CAT-004")
    assert counts(run, indexed) == {"unchanged": 6}


def test_a_deleted_photo_is_counted_as_missing_until_it_returns(indexed: Path, run: Command) -> None:
    """A row is never thrown away because its file cannot be seen."""
    photo = indexed / "drawer0" / "CAT-002.jpg"
    data, times = photo.read_bytes(), photo.stat()
    photo.unlink()
    assert counts(run, indexed) == {"unchanged": 5, "missing": 1}
    assert run("info", "--format", "json").json["missing"] == 1
    photo.write_bytes(data)
    os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert counts(run, indexed) == {"unchanged": 6}
    assert run("info", "--format", "json").json["missing"] == 0


def test_bad_files_are_reported_and_the_rest_is_indexed(photos: Path, run: Command, small_model: Path) -> None:
    """Empty, foreign and truncated files are named with their reason; names cannot command the terminal."""
    (photos / "empty.jpg").touch()
    (photos / "text\x1b[31m[red].jpg").write_text("not a picture")
    whole = draw_photo(photos / "cut.png", seed=9).read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / ".hidden.jpg").write_bytes(whole)
    (photos / "._CAT-000.jpg").write_bytes(b"AppleDouble")
    result = run("index", photos, "--model", small_model, "--format", "json")
    assert (result.code, result.json["new"], result.json["failed"]) == (0, 6, 3)
    reasons = {Path(problem["path"]).name: problem["reason"] for problem in result.json["problems"]}
    assert reasons["empty.jpg"] == "the file is empty"
    assert "not a picture" in reasons["text?[31m[red].jpg"]
    assert "damaged" in reasons["cut.png"]
    assert "\x1b" not in result.err


def test_the_archive_is_only_read(photos: Path, run: Command, small_model: Path) -> None:
    """Indexing and searching leave every file, folder and date as they were."""
    before = snapshot(photos)
    counts(run, photos, "--model", small_model, "--metadata", photos / "occurrence.csv")
    run("search", "--image", photos / "drawer0" / "CAT-000.jpg")
    assert snapshot(photos) == before


def test_records_may_come_after_the_photos(photos: Path, run: Command, small_model: Path) -> None:
    """A later run with --metadata fills in the records without embedding anything."""
    counts(run, photos, "--model", small_model)
    assert run("search", "--taxon", "Danaus", "--format", "json").code == 2
    assert counts(run, photos, "--metadata", photos / "occurrence.csv") == {"unchanged": 6}
    assert len(run("search", "--taxon", "Danaus", "--format", "json").json) == 3


def test_taxa_are_read_from_folders_when_asked(tmp_path: Path, run: Command, small_model: Path) -> None:
    """Only with the flag do folder names become taxa."""
    draw_photo(tmp_path / "p" / "Danaus_plexippus" / "1.jpg", seed=1)
    counts(run, tmp_path / "p", "--model", small_model)
    assert run("taxa", "--format", "json").json["children"] == []
    counts(run, tmp_path / "p", "--taxa-from-folders")
    assert run("taxa", "danaus plexippus", "--format", "json").json["count"] == 1


def test_a_folder_inside_an_indexed_one_belongs_to_it(indexed: Path, run: Command) -> None:
    """Indexing a part again, or the whole after a part, makes no second row of any photo."""
    assert counts(run, indexed / "drawer0") == {"unchanged": 3}
    assert counts(run, indexed.parent / "photos", indexed / "drawer1") == {"unchanged": 6}
    assert run("info", "--format", "json").json["rows"] == 6


def test_a_part_may_be_indexed_before_the_whole(photos: Path, run: Command, small_model: Path) -> None:
    """Photos already known from a sub-folder stay under its root."""
    counts(run, photos / "drawer0", "--model", small_model)
    assert counts(run, photos) == {"new": 3, "unchanged": 3}
    assert counts(run, photos) == {"unchanged": 6}


def test_copies_of_a_photo_are_rows_of_their_own(indexed: Path, run: Command) -> None:
    """The same content under two names is found under both, and embedded once."""
    copy = indexed / "copy.jpg"
    copy.write_bytes((indexed / "drawer0" / "CAT-000.jpg").read_bytes())
    assert counts(run, indexed) == {"new": 1, "unchanged": 6}
    hits = run("search", "--image", copy, "-k", 2, "--format", "json").json
    assert {hit["path"] for hit in hits} == {"copy.jpg", "drawer0/CAT-000.jpg"}


def test_contents_that_change_places_are_followed(indexed: Path, run: Command) -> None:
    """Two photos whose contents are exchanged are both found at their new places."""
    first, second = indexed / "drawer0" / "CAT-000.jpg", indexed / "drawer0" / "CAT-001.jpg"
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    for photo in (first, second):
        os.utime(photo, (5, 5))
    assert counts(run, indexed) == {"changed": 2, "unchanged": 4}
    (hit,) = run("search", "--image", first, "-k", 1, "--format", "json").json
    assert hit["path"] == "drawer0/CAT-000.jpg"


def test_another_model_is_refused_by_name(indexed: Path, run: Command, tmp_path: Path) -> None:
    """Other weights, or another way of preprocessing, cannot be mixed into a catalogue."""
    other = write_model(tmp_path / "other", seed=1)
    result = run("index", indexed, "--model", other)
    assert result.code == 2
    assert "was built with the model" in result.err
    assert run("index", indexed, "--preprocess", "crop").code == 2
    assert run("search", "anything", "--model", other).code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_odd_names_are_indexed_or_named_as_problems(tmp_path: Path, run: Command, small_model: Path) -> None:
    """Quotes, newlines, emoji and markup are names like others; bytes that are no text are reported."""
    names = ["it's.jpg", "new\nline.jpg", "🦋.jpg", "[red]x[/red].jpg", "-rf.jpg", 'quo"te.jpg', "no\udcffutf8.jpg"]
    for number, name in enumerate(names):
        draw_photo(tmp_path / "p" / name, seed=number)
    result = run("index", tmp_path / "p", "--model", small_model, "--format", "json")
    assert (result.json["new"], result.json["failed"]) == (6, 1)
    assert "not valid Unicode" in result.json["problems"][0]["reason"]
    for name in names[:-1]:
        (hit,) = run("search", "--image", tmp_path / "p" / name, "-k", 1, "--format", "json").json
        assert hit["path"] == name


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_followed_once_and_loops_end(tmp_path: Path, run: Command, small_model: Path) -> None:
    """A link to a folder is walked like a folder; one that leads back is not walked again."""
    draw_photo(tmp_path / "elsewhere" / "a.jpg", seed=1)
    draw_photo(tmp_path / "p" / "b.jpg", seed=2)
    (tmp_path / "p" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "p" / "loop").symlink_to(tmp_path / "p")
    (tmp_path / "p" / "broken.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "p" / "itself").symlink_to(tmp_path / "p" / "itself")
    assert counts(run, tmp_path / "p", "--model", small_model) == {"new": 2}


def test_a_copy_keeps_its_own_record_when_it_is_touched(indexed: Path, run: Command) -> None:
    """Records belong to files, not to contents."""
    copy = indexed / "copy.jpg"
    copy.write_bytes((indexed / "drawer0" / "CAT-000.jpg").read_bytes())
    table = indexed / "more.csv"
    table.write_text("catalogNumber,genus\ncopy,Vanessa\n")
    counts(run, indexed, "--metadata", table)
    for photo in (copy, indexed / "drawer0" / "CAT-000.jpg"):
        os.utime(photo, (9, 9))
    assert counts(run, indexed) == {"unchanged": 7}
    hits = run("search", "--image", copy, "-k", 2, "--format", "json").json
    assert {hit["path"]: hit["genus"] for hit in hits} == {"copy.jpg": "Vanessa", "drawer0/CAT-000.jpg": "Danaus"}


class _Impatient(Quiet):
    """Wishes to stop as soon as the first photos are done."""

    done = 0

    def advance(self, photos: int) -> None:
        self.done += photos

    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(lambda: self.done > 0)


def test_ctrl_c_keeps_what_was_done_and_the_next_run_does_the_rest(
    photos: Path, run: Command, small_model: Path, catalogue_folder: Path, tmp_path: Path
) -> None:
    """Stopping is safe: the batch in hand is committed, counted with its records, and no photo is lost or doubled."""
    for number in range(200):
        draw_photo(photos / "more" / f"{number:03d}.png", seed=100 + number, size=(24, 24))
    table = tmp_path / "all.csv"
    table.write_text("catalogNumber\n" + "\n".join(path.stem for path in photos.rglob("*.*")), encoding="utf-8")
    options = IndexOptions((photos,), catalogue_folder, metadata=table, model=str(small_model), batch_size=2, workers=1)
    report = index(options, _Impatient())
    assert report.interrupted
    assert report.with_record == report.new
    done = run("info", "--format", "json").json["rows"]
    assert done == report.new
    assert 2 <= done < 206
    assert counts(run, photos) == {"new": 206 - done, "unchanged": done}
    assert run("info", "--format", "json").json["rows"] == 206


def test_a_single_photo_may_be_indexed(photos: Path, run: Command, small_model: Path) -> None:
    """A file belongs to the folder it lies in, and the folder can follow."""
    counts(run, photos / "drawer0" / "CAT-000.jpg", "--model", small_model)
    assert counts(run, photos / "drawer0") == {"new": 2, "unchanged": 1}


@pytest.mark.parametrize("case", ["missing", "empty", "inside", "records"])
def test_what_cannot_be_indexed_is_said_in_one_sentence(
    case: str, photos: Path, run: Command, small_model: Path, tmp_path: Path
) -> None:
    """Exit code 2, one line, no traceback, and no catalogue left behind."""
    (tmp_path / "empty").mkdir()
    arguments: dict[str, list[object]] = {
        "missing": [tmp_path / "nowhere"],
        "empty": [tmp_path / "empty"],
        "inside": [photos, "--catalogue", photos / "catalogue"],
        "records": [photos, "--metadata", tmp_path / "nowhere.csv"],
    }
    before = snapshot(photos)
    result = run("index", *arguments[case], "--model", small_model)
    assert result.code == 2
    assert result.err.startswith("Error: ")
    assert len(result.err.splitlines()) == 1
    assert snapshot(photos) == before
    assert not (tmp_path / "catalogue").exists()


def test_folders_never_overwrite_a_record(indexed: Path, run: Command) -> None:
    """Catalogue number, common name and the rest stay when taxa are read from folders afterwards."""
    before = run("search", "--taxon", "Animalia", "--format", "json").json
    drawer = (indexed / "drawer0").rename(indexed / "Vanessa_atalanta")
    assert counts(run, indexed, "--taxa-from-folders") == {"moved": 3, "unchanged": 3}
    after = run("search", "--taxon", "Animalia", "--format", "json").json
    assert {hit["catalogNumber"]: hit["species"] for hit in after} == {
        hit["catalogNumber"]: hit["species"] for hit in before
    }
    draw_photo(drawer / "new.png", seed=70)
    counts(run, indexed, "--taxa-from-folders")
    (hit,) = run("search", "--taxon", "Vanessa atalanta", "--format", "json").json
    assert hit["path"] == "Vanessa_atalanta/new.png"


def test_two_equal_photos_that_move_keep_their_own_records(tmp_path: Path, run: Command, small_model: Path) -> None:
    """The row that is left gives its record; which of several, the file name tells."""
    draw_photo(tmp_path / "p" / "old" / "a.png", seed=1)
    draw_photo(tmp_path / "p" / "old" / "b.png", seed=1)
    table = tmp_path / "records.csv"
    table.write_text("catalogNumber,genus\na,Danaus\nb,Vanessa\n")
    counts(run, tmp_path / "p", "--model", small_model, "--metadata", table)
    (tmp_path / "p" / "old").rename(tmp_path / "p" / "new")
    assert counts(run, tmp_path / "p") == {"moved": 2}
    (tmp_path / "p" / "new" / "a.png").rename(tmp_path / "p" / "new" / "c.png")
    assert counts(run, tmp_path / "p") == {"moved": 1, "unchanged": 1}
    found = {genus: run("search", "--taxon", genus, "--format", "json").json for genus in ("Danaus", "Vanessa")}
    assert {genus: [hit["path"] for hit in hits] for genus, hits in found.items()} == {
        "Danaus": ["new/c.png"],
        "Vanessa": ["new/b.png"],
    }


def test_contents_that_go_round_while_being_indexed_are_all_right(
    indexed: Path, run: Command, catalogue_folder: Path
) -> None:
    """Commits after every batch, with files that take over each other's old contents, mix nothing up."""
    files = [indexed / "drawer0" / f"CAT-00{number}.jpg" for number in range(3)]
    contents = [file.read_bytes() for file in files]
    new = draw_photo(indexed.parent / "new.jpg", seed=90).read_bytes()
    for file, content in zip(files, [new, *contents], strict=False):
        file.write_bytes(content)
        os.utime(file, (7, 7))
    (indexed / "drawer2").mkdir()
    (indexed / "drawer2" / "late.jpg").write_bytes(contents[2])
    index(IndexOptions((indexed,), catalogue_folder, batch_size=1, workers=1, commit_seconds=0.0))
    for photo in [*files, indexed / "drawer2" / "late.jpg"]:
        (hit,) = run("search", "--image", photo, "-k", 1, "--format", "json").json
        assert (hit["path"], hit["score"] > 0.9999) == (photo.relative_to(indexed).as_posix(), True)
