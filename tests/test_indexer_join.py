"""Records find their photos by the files they name, then by catalogue number."""

import pytest

from indexer.folders import taxon_from_folders
from indexer.join import RecordIndex
from indexer.plan import Place


def joined(records: list[dict[str, str]], *paths: str, root: str = "/archive") -> dict[str, str]:
    """Path -> genus of the record that was joined to it."""
    places = [Place(root, path) for path in paths]
    index = RecordIndex(records, places)
    return {place.path: record["genus"] for place in places if (record := index.find(place))}


def test_a_record_finds_its_photo_by_path_address_or_number() -> None:
    """associatedMedia may be a path, an address or several; catalogNumber is the name without suffix."""
    records = [
        {"associatedmedia": "birds/a.jpg", "genus": "Path"},
        {"associatedmedia": "https://museum.example/media/b%20c.jpg?size=large | second.tif", "genus": "Address"},
        {"catalognumber": "NY 123", "genus": "Number"},
        {"associatedmedia": "https://[broken.jpg", "genus": "Broken"},
    ]
    assert joined(records, "birds/a.jpg", "x/b c.jpg", "y/SECOND.TIF", "deep/ny 123.jpg", "unknown.jpg") == {
        "birds/a.jpg": "Path",
        "x/b c.jpg": "Address",
        "y/SECOND.TIF": "Address",
        "deep/ny 123.jpg": "Number",
    }


def test_the_longest_common_path_wins_and_a_tie_is_no_match() -> None:
    """Files of the same name in two drawers are told apart; where they cannot be, nothing is claimed."""
    records = [{"associatedmedia": "one/a.jpg", "genus": "One"}, {"associatedmedia": "two/a.jpg", "genus": "Two"}]
    assert joined(records, "photos/one/a.jpg", "elsewhere/a.jpg") == {"photos/one/a.jpg": "One"}
    assert joined([{"filename": "a.jpg", "genus": "Bare"}], "one/a.jpg", "two/a.jpg") == {}


def test_folders_that_contradict_are_no_match_unless_the_whole_path_may_have_moved() -> None:
    """A relative path means its folders; an absolute one of another computer is joined by what is unique."""
    assert joined([{"associatedmedia": "2019/a.jpg", "genus": "Year"}], "2020/a.jpg") == {}
    moved = [{"associatedmedia": r"D:\scans\2019\a.jpg", "genus": "Scan"}]
    assert joined(moved, "2019/a.jpg", "2020/a.jpg") == {"2019/a.jpg": "Scan"}
    assert joined(moved, "one/a.jpg", "two/a.jpg") == {}


def test_the_indexed_folder_and_the_writing_of_names_count() -> None:
    """The root's own name is part of the path; blanks and the two ways to write an accent are alike."""
    assert joined([{"filename": "A/IMG_1.jpg", "genus": "A"}], "IMG_1.jpg", root="/w/A") == {"IMG_1.jpg": "A"}
    assert joined([{"filename": "Caf\u00e9  1.jpg", "genus": "Cafe"}], "Cafe\u0301 1.jpg") == {
        "Cafe\u0301 1.jpg": "Cafe"
    }


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
        (["Wet_collection"], None, None, None),
        (["Females"], None, None, None),
        (["Pictures", "herbarium"], None, None, None),
        (["Nymphalidae", "Danaus", "plexippus"], "Danaus plexippus", "Nymphalidae", None),
        (["Carabus_sp"], None, None, None),
        (
            ["00001_Plantae_Tracheophyta_Magnoliopsida_Proteales_Platanaceae_Platanus_x_hispanica"],
            "Platanus x hispanica",
            "Platanaceae",
            "Plantae",
        ),
        (
            ["Animalia", "Arthropoda", "Insecta", "Coleoptera", "Carabidae", "Carabus", "Drawer 12"],
            None,
            "Carabidae",
            "Animalia",
        ),
    ],
)
def test_folders_give_a_taxon_only_where_they_name_one(
    folders: list[str], species: str | None, family: str | None, kingdom: str | None
) -> None:
    """A gap in the row of ranks never shifts a name into another rank."""
    taxon = taxon_from_folders(folders)
    assert (taxon.species, taxon.family, taxon.kingdom) == (species, family, kingdom)
