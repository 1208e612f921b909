"""The main job on real photographs, where an archive is given."""

import csv
from pathlib import Path

import pytest
from helpers import Command

pytestmark = pytest.mark.archive

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")


def test_the_archive_is_indexed_once_and_found_again(real_archive: Path, run: Command) -> None:
    """All photos become rows with their ranks; a second run embeds nothing; photos find themselves."""
    with (real_archive / "occurrence.csv").open(encoding="utf-8", newline="") as stream:
        records = {row["associatedMedia"]: row for row in csv.DictReader(stream)}
    arguments = (real_archive, "--metadata", real_archive / "occurrence.csv", "--model", "builtin", "--format", "json")
    first = run("index", *arguments).json
    assert (first["new"], first["failed"]) == (len(records), 0)
    second = run("index", *arguments).json
    assert (second["new"], second["changed"], second["unchanged"]) == (0, 0, len(records))
    kingdoms = {row["kingdom"] for row in records.values()}
    found = [run("search", "--taxon", name, "-k", 5000, "--format", "json").json for name in kingdoms]
    rows = {hit["path"]: hit for hits in found for hit in hits}
    assert len(rows) == len(records)
    for path, record in records.items():
        assert [rows[path][rank] for rank in RANKS] == [record[rank] or None for rank in RANKS]
        assert bool(rows[path]["species"]) == bool(record["specificEpithet"])
    oaks = run("search", "leaf", "--taxon", "Quercus", "-k", 5000, "--format", "json").json
    assert {hit["path"] for hit in oaks} == {path for path, row in records.items() if row["genus"] == "Quercus"}
    for path in list(records)[::25]:
        (itself,) = run("search", "--image", real_archive / path, "-k", 1, "--format", "json").json
        assert itself["path"] == path
