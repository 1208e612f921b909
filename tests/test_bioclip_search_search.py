"""Searching through the command line: words, a photo, both, within a taxon, in every format."""

import csv
import io
from pathlib import Path

import pytest
from helpers import Command, draw_photo

from bioclip_search.query import HIT_COLUMNS


def test_every_photo_finds_itself_first(indexed: Path, run: Command) -> None:
    """Exact search: the nearest photo to a photo of the catalogue is that photo."""
    for number in range(6):
        photo = indexed / f"drawer{number // 3}" / f"CAT-{number:03d}.jpg"
        first = run("search", "--image", photo, "--format", "json").json[0]
        assert first["path"] == photo.relative_to(indexed).as_posix()
        assert first["score"] == pytest.approx(1, abs=0.002)


def test_a_photo_from_elsewhere_is_embedded_and_searched(indexed: Path, run: Command, tmp_path: Path) -> None:
    """A re-saved copy is not in the catalogue by content, but finds its original."""
    query = draw_photo(tmp_path / "query.png", seed=3)
    (hit,) = run("search", "--image", query, "-k", 1, "--format", "json").json
    assert hit["catalogNumber"] == "CAT-003"


def test_words_and_photo_are_combined_by_weight(indexed: Path, run: Command) -> None:
    """A photo of weight 0 leaves the ranking of the words, and the other way round."""
    photo = indexed / "drawer1" / "CAT-005.jpg"

    def ranking(*arguments: object) -> list[str]:
        return [hit["path"] for hit in run("search", *arguments, "--format", "json").json]

    assert ranking("butterfly", "--image", f"0:{photo}") == ranking("butterfly")
    assert ranking("0:butterfly", "--image", photo) == ranking("--image", photo)
    heavy = run("search", "butterfly", "--image", f"3:{photo}", "--format", "json").json
    even = run("search", "butterfly", "--image", photo, "--format", "json").json
    own = [next(hit["score"] for hit in hits if hit["path"] == "drawer1/CAT-005.jpg") for hits in (heavy, even)]
    assert own[0] > own[1]  # the more the photo weighs, the nearer it is itself


def test_a_taxon_filter_is_applied_before_the_search(indexed: Path, run: Command) -> None:
    """All photos of the taxon are found even when k is larger than their number, and no others."""
    for name in ("Pieridae", "pieris", "Pieris rapae", "small white"):
        hits = run("search", "wing", "--taxon", name, "-k", 6, "--format", "json").json
        assert {hit["species"] for hit in hits} == {"Pieris rapae"}
        assert len(hits) == 3


def test_an_unknown_taxon_is_answered_with_near_names(indexed: Path, run: Command) -> None:
    """A misspelt name costs no search, only a sentence."""
    result = run("search", "wing", "--taxon", "Nymfalidae")
    assert (result.code, result.out) == (2, "")
    assert "Nymphalidae" in result.err


def test_quotes_and_sql_in_a_taxon_are_only_a_name(indexed: Path, run: Command) -> None:
    """Values are bound, never pasted into a condition."""
    result = run("search", "--taxon", "x' OR '1'='1")
    assert result.code == 2
    assert "belongs to the taxon" in result.err


def test_json_carries_the_promised_fields(indexed: Path, run: Command) -> None:
    """Scripts may rely on these names."""
    hit = run("search", "wing", "--format", "json").json[0]
    promised = (
        "score root path catalogNumber scientificName vernacularName kingdom phylum class order family genus species"
    )
    assert set(promised.split()) <= set(hit)
    assert hit["root"] == str(indexed)


def test_csv_paths_and_table_tell_the_same_hits(indexed: Path, run: Command) -> None:
    """Every format prints the hits in the same order."""
    paths = [hit["path"] for hit in run("search", "wing", "--format", "json").json]
    rows = list(csv.DictReader(io.StringIO(run("search", "wing", "--format", "csv").out)))
    assert [row["path"] for row in rows] == paths
    assert tuple(rows[0]) == HIT_COLUMNS
    assert run("search", "wing", "--format", "paths").out.splitlines() == [str(indexed / path) for path in paths]
    table = run("search", "wing").out
    assert [line.split()[-1] for line in table.splitlines()[1:]] == paths
    assert "\x1b" not in table


def test_a_query_that_asks_nothing_or_too_little_is_refused(indexed: Path, run: Command, tmp_path: Path) -> None:
    """No words, blank words, or a photo that is none: one sentence each."""
    (tmp_path / "notes.txt").write_text("no picture")
    for arguments in ([], ["  "], ["--image", tmp_path / "notes.txt"], ["--image", tmp_path / "nowhere.jpg"]):
        result = run("search", *arguments)
        assert result.code == 2
        assert result.err.startswith("Error: ")
    assert run("search", "0:a").code == 2


def test_taxa_are_printed_as_a_tree_with_counts(indexed: Path, run: Command) -> None:
    """Counts add up from species to the root, in JSON and in print."""
    tree = run("taxa", "--format", "json").json
    (animals,) = tree["children"]
    assert (tree["count"], animals["rank"], animals["name"], animals["count"]) == (6, "kingdom", "Animalia", 6)
    assert {family["name"]: family["count"] for family in animals["children"]} == {"Nymphalidae": 3, "Pieridae": 3}
    printed = run("taxa", "Danaus").out
    assert "Danaus plexippus (monarch)" in printed
    assert "Pieris" not in printed
    assert "species" not in run("taxa", "--down-to", "genus").out


def test_info_shows_model_rows_and_last_run(indexed: Path, run: Command, small_model: Path) -> None:
    """What the catalogue is, for people and for scripts."""
    facts = run("info", "--format", "json").json
    assert (facts["rows"], facts["dim"], facts["model"]) == (6, 32, str(small_model))
    assert facts["lastRun"]["new"] == 6
    assert facts["roots"] == [str(indexed)]
    assert "6 new" in run("info").out


def test_markup_and_escape_codes_in_records_are_shown_as_text(photos: Path, run: Command, small_model: Path) -> None:
    """A record cannot colour or command the terminal."""
    table = "catalogNumber,vernacularName\nCAT-000,\x1b[31m[bold]evil[/bold]\n"
    (photos / "occurrence.csv").write_text(table, encoding="utf-8")
    run("index", photos, "--metadata", photos / "occurrence.csv", "--model", small_model)
    out = run("search", "--image", photos / "drawer0" / "CAT-000.jpg", "-k", 1).out
    assert "[bold]evil[/bold]" in out
    assert "\x1b" not in out


def test_homonyms_are_counted_apart_and_found_together(tmp_path: Path, run: Command, small_model: Path) -> None:
    """Morus is a mulberry and a gannet: two nodes, each with its own count."""
    rows = ["catalogNumber,kingdom,family,genus,vernacularName"]
    for number in range(5):
        draw_photo(tmp_path / "p" / f"{number}.png", seed=number)
        rows.append(f"{number},{'Plantae,Moraceae,Morus,mulberry' if number < 2 else 'Animalia,Sulidae,MORUS,gannet'}")
    (tmp_path / "records.csv").write_text("\n".join(rows))
    run("index", tmp_path / "p", "--model", small_model, "--metadata", tmp_path / "records.csv")
    found = run("taxa", "morus", "--format", "json").json
    assert (found["count"], sorted(child["count"] for child in found["children"])) == (5, [2, 3])
    for spelling in ("Morus", "MORUS", "  morus "):
        assert len(run("search", "--taxon", spelling, "--format", "json").json) == 5
    assert run("taxa", " Gannet ", "--format", "json").json["count"] == 3
