"""Determinations in the taxonomy in use: ranks filled, synonyms followed, nothing made up."""

from pathlib import Path

import pytest
from helpers import Command

TAXONOMY = """\
taxonID,parentNameUsageID,acceptedNameUsageID,scientificName,taxonRank,taxonomicStatus,kingdom,phylum,class,order,family,genus,vernacularName
1,,,Danaus,genus,accepted,Animalia,Arthropoda,Insecta,Lepidoptera,Nymphalidae,Danaus,
2,1,,Danaus plexippus (Linnaeus),species,accepted,Animalia,Arthropoda,Insecta,Lepidoptera,Nymphalidae,Danaus,monarch
3,,2,"Anosia plexippus Linnaeus, 1758",species,synonym,Animalia,Arthropoda,Insecta,Lepidoptera,Nymphalidae,Anosia,
4,,,Morus alba L.,species,accepted,Plantae,Tracheophyta,Magnoliopsida,Rosales,Moraceae,Morus,
5,,,"Morus bassanus (Linnaeus, 1758)",species,accepted,Animalia,Chordata,Aves,Suliformes,Sulidae,Morus,northern gannet
6,,,Morus,genus,accepted,Plantae,Tracheophyta,Magnoliopsida,Rosales,Moraceae,Morus,
7,,,Morus,genus,accepted,Animalia,Chordata,Aves,Suliformes,Sulidae,Morus,
"""


@pytest.fixture
def archive(photos: Path, run: Command, small_model: Path, tmp_path: Path) -> Path:
    """Six photos whose records hold little more than a name."""
    names = ["Danaus plexippus", "Anosia plexippus L.", "Morus alba", "Morus sp.", "Danaus sp.", "Danavs plexipus"]
    lines = ["catalogNumber,scientificName", *(f"CAT-{number:03d},{name}" for number, name in enumerate(names))]
    table = tmp_path / "names.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "taxonomy.csv").write_text(TAXONOMY, encoding="utf-8")
    assert run("index", photos, "--model", small_model, "--metadata", table).code == 0
    return table


def paths(run: Command, taxon: str) -> list[str]:
    return [Path(hit["path"]).stem for hit in run("search", "--taxon", taxon, "--format", "json").json]


def test_ranks_are_filled_and_synonyms_followed(archive: Path, run: Command, tmp_path: Path) -> None:
    """Only names of one meaning are placed; spellings are not corrected, homonyms not guessed."""
    placed = run(
        "taxonomy", "use", tmp_path / "taxonomy.csv", "--name", "Small list", "--version", "7", "--format", "json"
    )
    assert placed.json["placed"] == 4, placed.err
    hits = run("search", "--taxon", "Nymphalidae", "--format", "json").json
    assert [Path(hit["path"]).stem for hit in hits] == ["CAT-000", "CAT-001", "CAT-004"]
    assert {hit["species"] for hit in hits} == {"Danaus plexippus", None}
    assert [hit["scientificName"] for hit in hits] == ["Danaus plexippus", "Anosia plexippus L.", "Danaus sp."]
    assert hits[2]["vernacularName"] is None
    assert paths(run, "Moraceae") == ["CAT-002"]
    assert run("search", "--taxon", "Sulidae").code == 2


def test_filters_take_synonyms_and_common_names(archive: Path, run: Command, tmp_path: Path) -> None:
    """A name that no record carries is looked up in the taxonomy."""
    run("taxonomy", "use", tmp_path / "taxonomy.csv")
    for name in ("monarch", "MONARCH", "Anosia plexippus"):
        assert paths(run, name) == ["CAT-000", "CAT-001"]
    assert "Danaus plexippus" in run("search", "--taxon", "Danaus plexipus").err


def test_using_a_taxonomy_again_and_importing_again_change_nothing(archive: Path, run: Command, tmp_path: Path) -> None:
    """Placing is stable, and later records are placed as they come."""
    first = run("taxonomy", "use", tmp_path / "taxonomy.csv", "--format", "json").json
    again = run("taxonomy", "use", tmp_path / "taxonomy.csv", "--format", "json").json
    assert (first["changed"], again["changed"], again["placed"]) == (4, 0, 4)
    assert run("metadata", "import", archive, "--format", "json").json["updated"] == 0
    archive.write_text("catalogNumber,scientificName\nCAT-005,Morus bassanus\n")
    assert run("metadata", "import", archive, "--format", "json").json["updated"] == 1
    assert paths(run, "Sulidae") == ["CAT-005"]


def test_another_taxonomy_starts_from_the_record_again(archive: Path, run: Command, tmp_path: Path) -> None:
    """What the first filled in is not taken for what the record says; without a fit the record stands alone."""
    run("taxonomy", "use", tmp_path / "taxonomy.csv")
    (tmp_path / "second.csv").write_text(
        TAXONOMY.replace("Nymphalidae", "Danaidae").replace("Lepidoptera", "Papilionida")
    )
    run("taxonomy", "use", tmp_path / "second.csv")
    assert paths(run, "Danaidae") == ["CAT-000", "CAT-001", "CAT-004"]
    assert run("search", "--taxon", "Nymphalidae").code == 2
    (tmp_path / "third.csv").write_text("taxonID,scientificName,taxonRank\n1,Nothing else,species\n")
    run("taxonomy", "use", tmp_path / "third.csv")
    assert run("search", "--taxon", "Danaidae").code == 2
    assert paths(run, "Danaus plexippus") == ["CAT-000"]


def test_a_record_that_contradicts_is_left_alone(archive: Path, run: Command, tmp_path: Path) -> None:
    """An iris is no mantis, though a genus of mantises is called Iris."""
    (tmp_path / "mantis.csv").write_text(
        "taxonID,scientificName,taxonRank,kingdom,order,family,genus\n1,Iris,genus,Animalia,Mantodea,Tarachodidae,Iris\n"
    )
    archive.write_text("catalogNumber,scientificName,family\nCAT-000,Iris,Iridaceae\n")
    run("metadata", "import", archive)
    run("taxonomy", "use", tmp_path / "mantis.csv")
    assert run("search", "--taxon", "Mantodea").code == 2
    assert paths(run, "Iridaceae") == ["CAT-000"]


@pytest.mark.parametrize("name", ["Danaus plexippus", "Anosia plexippus"])
def test_a_family_may_differ_within_an_order(name: str, archive: Path, run: Command, tmp_path: Path) -> None:
    """Accepted names and synonyms alike; without a common order the ranks contradict, and that is told."""
    rows = [f"CAT-000,{name},Danaidae,Lepidoptera", f"CAT-001,{name},Danaidae,", f"CAT-002,{name},Danaidae,Diptera"]
    archive.write_text("\n".join(["catalogNumber,scientificName,family,order", *rows]))
    run("metadata", "import", archive)
    use = ("taxonomy", "use", tmp_path / "taxonomy.csv")
    assert run(*use, "--format", "json").json["contradicting"] == 2
    assert "2 photos have names of the taxonomy, but a kingdom" in run(*use).out
    assert {"CAT-000", "CAT-001", "CAT-002"} & {*paths(run, "Insecta")} == {"CAT-000"}


def test_the_tree_answers_for_synonyms_as_the_search_does(archive: Path, run: Command, tmp_path: Path) -> None:
    """`taxa` and `search --taxon` understand the same names."""
    run("taxonomy", "use", tmp_path / "taxonomy.csv")
    assert run("taxa", "Anosia plexippus", "--format", "json").json["name"] == "Danaus plexippus"
