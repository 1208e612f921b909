"""Records joined to a catalogue that is there: imported, imported again, reported; nothing is embedded."""

import csv
import io
from pathlib import Path

import pytest
from helpers import Command


@pytest.fixture
def bare(photos: Path, run: Command, small_model: Path) -> Path:
    """The photos indexed without their records."""
    assert run("index", photos, "--model", small_model).code == 0
    return photos


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_records_are_imported_and_updated(bare: Path, run: Command, tmp_path: Path) -> None:
    """The second import changes only what is new; what its source has no column for stays."""
    report = run("metadata", "import", bare / "occurrence.csv", "--format", "json").json
    assert (report["joined"], report["updated"], report["byRule"]) == (6, 6, {"associatedMedia": 6})
    assert run("metadata", "import", bare / "occurrence.csv", "--format", "json").json["updated"] == 0
    assert run("runs", "--format", "json").json[0]["command"].startswith("metadata import")
    loans = write(tmp_path / "l.csv", "catalogNumber,sex,scientificName", "CAT-000,female,Vanessa atalanta L.")
    assert run("metadata", "import", loans, "--format", "json").json["updated"] == 1
    (hit,) = run("search", "--taxon", "Vanessa", "--format", "json").json
    assert (hit["catalogNumber"], hit["scientificName"], hit["family"]) == ("CAT-000", "Vanessa atalanta L.", None)
    assert len(run("search", "--taxon", "Danaus", "--format", "json").json) == 2
    assert run("index", bare, "--format", "json").json["unchanged"] == 6


def test_a_partial_table_keeps_the_determination_and_replacements_are_counted(
    bare: Path, run: Command, tmp_path: Path
) -> None:
    """The same names change nothing but what else the table says; other names, and empty ones, are reported."""
    run("metadata", "import", bare / "occurrence.csv")
    names = ["Danaus plexippus", "Pieris rapae"]
    rows = [f"CAT-00{number},{names[number % 2]},A. Collector" for number in range(6)]
    same = run("metadata", "import", write(tmp_path / "d.csv", "catalogNumber,scientificName,recordedBy", *rows))
    assert "6 photos have a new or changed record now" in same.out
    assert "determinations" not in same.out
    hits = run("search", "--taxon", "Nymphalidae", "--format", "json").json
    assert {(hit["vernacularName"], hit["kingdom"], hit["species"]) for hit in hits} == {
        ("monarch", "Animalia", "Danaus plexippus")
    }
    rows = ["CAT-000,Danaus chrysippus", "CAT-001,Vanessa atalanta", "CAT-002,"]
    table = write(tmp_path / "n.csv", "catalogNumber,scientificName", *rows)
    counts = run("metadata", "import", table, "--format", "json").json
    assert (counts["determinationsReplaced"], counts["lostRanks"], counts["determinationsCleared"]) == (2, 1, 1)
    write(tmp_path / "n.csv", "catalogNumber,scientificName", "CAT-000,Pieris rapae", "CAT-001,", "CAT-002,")
    told = run("metadata", "import", table).out
    assert "1 determinations were replaced by another name, 1 of them without ranks" in told
    assert "1 determinations were cleared" in told


def test_the_report_lists_what_is_left_over(bare: Path, run: Command, tmp_path: Path) -> None:
    """Photos without a record, records without a photo, and the ambiguous, each by name; nothing is changed."""
    table = write(
        tmp_path / "t.csv",
        "catalogNumber,occurrenceID,genus",
        *("CAT-000,a,Danaus", "cat 001,b,Danaus", "CAT-002,c,Danaus", "CAT-002,d,Pieris", "CAT-999,e,Pieris"),
    )
    text = run("metadata", "report", table).out
    assert "2 of 6 photos have a record" in text
    assert "3 photos without a record" in text
    report = run("metadata", "report", table, "--format", "json").json
    assert (report["ambiguousPhotos"], report["recordsWithoutPhoto"]) == (1, 3)
    rows = list(csv.DictReader(io.StringIO(run("metadata", "report", table, "--format", "csv").out)))
    assert sorted(Path(row["path"]).name for row in rows if row["kind"] == "photo without record") == [
        "CAT-003.jpg",
        "CAT-004.jpg",
        "CAT-005.jpg",
    ]
    (ambiguous,) = (row for row in rows if row["kind"] == "ambiguous photo")
    assert (Path(ambiguous["path"]).name, ambiguous["candidates"]) == (
        "CAT-002.jpg",
        "occurrenceID c, catalogNumber CAT-002 | occurrenceID d, catalogNumber CAT-002",
    )
    assert "occurrenceID e, catalogNumber CAT-999" in [row["lookedFor"] for row in rows]
    write(table, "fileName,genus", "elsewhere/x.jpg,Danaus")
    listed = run("metadata", "report", table, "--format", "json").json["leftOver"]
    assert listed[-1]["lookedFor"] == "fileName elsewhere/x.jpg"
    write(table, "catalogNumber,genus", "CAT-999,Pieris")
    rows = list(csv.DictReader(io.StringIO(run("metadata", "report", table, "--format", "csv").out)))
    assert "CAT-999" in [row["catalogNumber"] for row in rows if row["kind"] == "record without photo"]
    assert run("taxa", "--format", "json").json["children"] == []


def test_columns_and_patterns_are_the_users(bare: Path, run: Command, tmp_path: Path) -> None:
    """`--map` names columns, `--name-pattern` finds numbers; `index --metadata` takes both too."""
    table = write(tmp_path / "t.csv", "Barcode;Det", "0;Danaus plexippus", "1;Pieris rapae")
    options = ["--map", "catalogNumber=Barcode,scientificName=Det", "--name-pattern", r"CAT-00(?P<catalogNumber>\d)"]
    assert run("metadata", "import", table, *options, "--format", "json").json["joined"] == 2
    assert len(run("search", "--taxon", "Danaus plexippus", "--format", "json").json) == 1
    assert run("index", bare, "--metadata", table, *options, "--format", "json").json["withRecord"] == 2
    for wrong, told in (
        ("catalogueNumber=Barcode", "did you mean catalogNumber"),
        ("sex=Det,sex=Barcode", "two columns"),
    ):
        refused = run("metadata", "import", table, "--map", wrong)
        assert (refused.code, told in refused.err) == (2, True), refused.err
    for bad in (["--map", "Barcode"], ["--map", "sex=Sexus"], ["--name-pattern", "("]):
        assert run("metadata", "import", table, *bad).code == 2
    assert run("index", bare, "--map", "a=b").code == 2


def test_records_of_every_kind_are_kept_and_shown_safely(bare: Path, run: Command, tmp_path: Path) -> None:
    """A malformed source changes nothing; names with markup and escape codes stay names."""
    table = write(tmp_path / "t.csv", "catalogNumber,scientificName,genus", "CAT-000,[red]\x1b[31mX,[red]Danaus")
    run("metadata", "import", table)
    assert "\x1b" not in run("search", "--taxon", "[red]Danaus").out
    write(tmp_path / "bad.csv", "catalogNumber,genus", '1,"Danaus', "2,Pieris")
    for command in ("import", "report"):
        result = run("metadata", command, tmp_path / "bad.csv")
        assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert len(run("search", "--taxon", "[red]Danaus", "--format", "json").json) == 1


def test_copies_of_a_photo_have_records_of_their_own(bare: Path, run: Command, tmp_path: Path) -> None:
    """The same bytes under another name inherit nothing."""
    run("metadata", "import", bare / "occurrence.csv")
    (bare / "N9.jpg").write_bytes((bare / "drawer0" / "CAT-000.jpg").read_bytes())
    run("index", bare, "--metadata", write(tmp_path / "n.csv", "catalogNumber,sex", "N9,male"))
    (bare / "Z5.jpg").write_bytes((bare / "drawer0" / "CAT-000.jpg").read_bytes())
    run("index", bare)
    hits = run("search", "--image", bare / "Z5.jpg", "-k", 3, "--format", "json").json
    assert {hit["path"]: hit["catalogNumber"] for hit in hits} == {
        "drawer0/CAT-000.jpg": "CAT-000",
        "N9.jpg": "N9",
        "Z5.jpg": None,
    }
    assert {hit["species"] for hit in hits} == {"Danaus plexippus", None}


def test_an_export_that_was_edited_is_imported_back(bare: Path, run: Command, tmp_path: Path) -> None:
    """Rows find their photos by their place; columns of the file become no terms, and guards come off."""
    first = write(tmp_path / "t.csv", "associatedMedia,locality,path", "drawer0/CAT-000.jpg,=1+1,own", "x.jpg,a,b")
    run("metadata", "import", first)
    (bare / "a;b|c.jpg").write_bytes((bare / "drawer0" / "CAT-000.jpg").read_bytes() + b"x")
    run("index", bare)
    table = tmp_path / "all.csv"
    assert run("export", table).code == 0
    assert "'=1+1" in table.read_text()
    report = run("metadata", "import", table, "--format", "json").json
    assert (report["joined"], report["updated"]) == (7, 0)
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    for row in rows:
        row["recordedBy"] = Path(row["path"]).name
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert run("metadata", "import", table, "--format", "json").json["updated"] == 7
    run("export", table, "--force")
    again = list(csv.DictReader(io.StringIO(table.read_text())))
    assert again[0].keys() == rows[0].keys()
    assert all(row["recordedBy"] == Path(row["path"]).name for row in again)
    assert {row["verbatim path"] for row in again} == {"own", ""}


def test_an_empty_column_clears_and_a_common_name_alone_determines_nothing(
    bare: Path, run: Command, tmp_path: Path
) -> None:
    """A source that says nothing of the name leaves it."""
    run("metadata", "import", bare / "occurrence.csv")
    run("metadata", "import", write(tmp_path / "v.csv", "catalogNumber,vernacularName", "CAT-000,milkweed butterfly"))
    (hit,) = run("search", "--taxon", "milkweed butterfly", "--format", "json").json
    assert (hit["species"], hit["catalogNumber"]) == ("Danaus plexippus", "CAT-000")
    run("metadata", "import", write(tmp_path / "e.csv", "catalogNumber,occurrenceID,sex", "CAT-000,x,male"))
    run("metadata", "import", write(tmp_path / "e.csv", "catalogNumber,occurrenceID", "CAT-000,"))
    (hit,) = run("search", "--taxon", "milkweed butterfly", "--format", "json").json
    assert hit["occurrenceID"] is None


def test_the_view_is_kept_with_the_photo(bare: Path, run: Command, tmp_path: Path) -> None:
    """From the usual habits, or from a group of the user's pattern."""
    for name in ("X1_dorsal.jpg", "X1~ventral.jpg"):
        (bare / name).write_bytes((bare / "drawer0" / "CAT-000.jpg").read_bytes() + name.encode())
    table = write(tmp_path / "x.csv", "catalogNumber,genus", "X1,Xus")
    run("index", bare, "--metadata", table, "--name-pattern", r"(?P<catalogNumber>X\d)[_~](?P<view>\w+)")
    hits = run("search", "--taxon", "Xus", "--format", "json").json
    assert {hit["path"]: hit["view"] for hit in hits} == {"X1_dorsal.jpg": "dorsal", "X1~ventral.jpg": "ventral"}
