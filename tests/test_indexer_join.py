"""Records find their photos by the files they name, then by catalogue number."""

import pytest

from indexer.folders import taxon_from_folders
from indexer.join import RecordIndex


def test_a_record_finds_its_photo_by_path_address_or_number() -> None:
    """associatedMedia may be a path, an address or several; catalogNumber is the name without suffix."""
    index = RecordIndex(
        [
            {"associatedmedia": "birds/a.jpg", "genus": "Path"},
            {"associatedmedia": "https://museum.example/media/b%20c.jpg?size=large | second.tif", "genus": "Address"},
            {"catalognumber": "NY 123", "genus": "Number"},
        ]
    )
    found = {path: (index.find(path) or {}).get("genus") for path in ("birds/a.jpg", "x/b c.jpg", "y/SECOND.TIF")}
    assert found == {"birds/a.jpg": "Path", "x/b c.jpg": "Address", "y/SECOND.TIF": "Address"}
    assert index.find("deep/ny 123.jpg") == {"catalognumber": "NY 123", "genus": "Number"}
    assert index.find("unknown.jpg") is None


def test_the_longest_common_path_wins_and_a_tie_is_no_match() -> None:
    """Files of the same name in two drawers are told apart; where they cannot be, nothing is claimed."""
    index = RecordIndex([{"associatedmedia": "one/a.jpg", "genus": "One"}, {"associatedmedia": "two/a.jpg"}])
    assert (index.find("photos/one/a.jpg") or {})["genus"] == "One"
    assert index.find("elsewhere/a.jpg") is None


@pytest.mark.parametrize(
    ("folders", "species", "family", "kingdom"),
    [
        (["Danaus_plexippus"], "Danaus plexippus", None, None),
        (["Lepidoptera", "Nymphalidae", "Danaus", "plexippus"], "Danaus plexippus", "Nymphalidae", None),
        (
            ["Animalia", "Arthropoda", "Insecta", "Lepidoptera", "Nymphalidae", "Danaus", "plexippus"],
            "Danaus plexippus",
            "Nymphalidae",
            "Animalia",
        ),
        (
            ["02912_Animalia_Arthropoda_Insecta_Lepidoptera_Nymphalidae_Danaus_plexippus"],
            "Danaus plexippus",
            "Nymphalidae",
            "Animalia",
        ),
        (["Animalia", "Nymphalidae"], None, "Nymphalidae", "Animalia"),
        (["2019", "scans", "Drawer 12"], None, None, None),
    ],
)
def test_folders_give_a_taxon_only_where_they_name_one(
    folders: list[str], species: str | None, family: str | None, kingdom: str | None
) -> None:
    """A gap in the row of ranks never shifts a name into another rank."""
    taxon = taxon_from_folders(folders)
    assert (taxon.species, taxon.family, taxon.kingdom) == (species, family, kingdom)
