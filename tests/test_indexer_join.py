"""Records find their photos by the files they name, then by catalogue number."""

import pytest

from bioclip_search.errors import UsageError
from indexer.filename import compile_patterns, read_file_name
from indexer.folders import taxon_from_folders
from indexer.join import Match, RecordIndex, Rule
from indexer.plan import Place


def joined(records: list[dict[str, str]], *paths: str, root: str = "/archive") -> dict[str, str]:
    """Path -> genus of the record that was joined to it."""
    places = [Place(root, path) for path in paths]
    index = RecordIndex(records, places)
    return {place.path: record["genus"] for place in places if (record := index.find(place)) is not None}


def test_a_record_finds_its_photo_by_path_address_or_number() -> None:
    """associatedMedia may be a path, an address or several; catalogNumber is the name without suffix."""
    records = [
        {"associatedMedia": "birds/a.jpg", "genus": "Path"},
        {"associatedMedia": "https://museum.example/media/b%20c.jpg?size=large | second.tif", "genus": "Address"},
        {"catalogNumber": "NY 123", "genus": "Number"},
        {"associatedMedia": "https://[broken.jpg", "genus": "Broken"},
    ]
    assert joined(records, "birds/a.jpg", "x/b c.jpg", "y/SECOND.TIF", "deep/ny 123.jpg", "unknown.jpg") == {
        "birds/a.jpg": "Path",
        "x/b c.jpg": "Address",
        "y/SECOND.TIF": "Address",
        "deep/ny 123.jpg": "Number",
    }


def test_the_column_that_named_the_file_is_told() -> None:
    """`fileName` and `associatedMedia` are counted apart."""
    records = [{"fileName": "a.jpg"}, {"associatedMedia": "b.jpg"}]
    index = RecordIndex(records, [Place("/archive", "a.jpg"), Place("/archive", "b.jpg")])
    assert index.counts() == {"associatedMedia": 1, "fileName": 1}


def test_the_longest_common_path_wins_and_a_tie_is_no_match() -> None:
    """Files of the same name in two drawers are told apart; where they cannot be, nothing is claimed."""
    records = [{"associatedMedia": "one/a.jpg", "genus": "One"}, {"associatedMedia": "two/a.jpg", "genus": "Two"}]
    assert joined(records, "photos/one/a.jpg", "elsewhere/a.jpg") == {"photos/one/a.jpg": "One"}
    assert joined([{"fileName": "a.jpg", "genus": "Bare"}], "one/a.jpg", "two/a.jpg") == {}


def test_folders_that_contradict_are_no_match_unless_the_whole_path_may_have_moved() -> None:
    """A relative path means its folders; an absolute one of another computer is joined by what is unique."""
    assert joined([{"associatedMedia": "2019/a.jpg", "genus": "Year"}], "2020/a.jpg") == {}
    moved = [{"associatedMedia": r"D:\scans\2019\a.jpg", "genus": "Scan"}]
    assert joined(moved, "2019/a.jpg", "2020/a.jpg") == {"2019/a.jpg": "Scan"}
    assert joined(moved, "one/a.jpg", "two/a.jpg") == {}


def test_the_indexed_folder_and_the_writing_of_names_count() -> None:
    """The root's own name is part of the path; blanks and the two ways to write an accent are alike."""
    assert joined([{"fileName": "A/IMG_1.jpg", "genus": "A"}], "IMG_1.jpg", root="/w/A") == {"IMG_1.jpg": "A"}
    assert joined([{"fileName": "Caf\u00e9  1.jpg", "genus": "Cafe"}], "Cafe\u0301 1.jpg") == {
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


@pytest.mark.parametrize(
    ("record", "path", "rule"),
    [
        ({"catalogNumber": "EMEC12346"}, "EMEC12346 Bembix grzymalai.jpg", Rule.CATALOG_NUMBER),
        ({"catalogNumber": "EMEC 12346"}, "emec_12346.2.jpg", Rule.CATALOG_NUMBER),
        ({"catalogNumber": "NY01075759"}, "NY01075759_lg.jpg", Rule.CATALOG_NUMBER),
        ({"catalogNumber": "BMNH(E) 500607"}, "BMNHE_500607_dorsal.JPG", Rule.CATALOG_NUMBER),
        ({"catalogNumber": "500607", "institutionCode": "BMNHE"}, "BMNHE_500607.jpg", Rule.WITH_CODES),
        ({"catalogNumber": "20326", "institutionCode": "NY"}, "NY_00020326.jpg", Rule.WITHOUT_ZEROS),
        ({"otherCatalogNumbers": "old 5 | TENN-L-0000013"}, "TENN-L-0000013_lg.jpg", Rule.CATALOG_NUMBER),
        ({"occurrenceID": "https://id.museum.example/0f1e2d3c-aaaa"}, "0f1e2d3c-aaaa.jpg", Rule.OCCURRENCE_ID),
    ],
)
def test_numbers_are_found_in_file_names_as_collections_write_them(
    record: dict[str, str], path: str, rule: Rule
) -> None:
    """Case, separators, codes, counts of photos and views make no difference; the report says by which rule."""
    index = RecordIndex([record], [Place("/a", path)])
    assert index.matches[Place("/a", path)] == Match(record, rule)


def test_a_number_is_never_found_in_another_number() -> None:
    """A count behind a dot, a longer number and an ambiguous one without its zeros are not the record's."""
    assert joined([{"catalogNumber": "EMEC123461", "genus": "X"}], "EMEC12346.1.jpg") == {}
    assert joined([{"catalogNumber": "NY123", "genus": "X"}], "NY1234.jpg") == {}
    assert joined([{"catalogNumber": "AB123", "genus": "X"}], "AB123.456.jpg") == {}
    assert joined([{"catalogNumber": "2021", "genus": "X"}], "2021-06-15.jpg") == {}
    assert joined([{"catalogNumber": "123", "institutionCode": "HERB2", "genus": "X"}], "HERB-2123.jpg") == {}
    assert joined([{"catalogNumber": "123", "institutionCode": "HERB2", "genus": "X"}], "HERB2-123.jpg") != {}
    two = [{"catalogNumber": "NY 0123", "genus": "A"}, {"catalogNumber": "NY 00123", "genus": "B"}]
    assert joined(two, "NY123.jpg", "NY0123.jpg") == {"NY0123.jpg": "A"}
    index = RecordIndex(two, [Place("/a", "NY123.jpg")])
    assert (list(index.ambiguous()), index.counts()) == ([Place("/a", "NY123.jpg")], {})


def test_a_pattern_of_the_user_overrules_the_habits() -> None:
    """Its group is the number; a pattern that is none, or has no such group, is refused."""
    record = {"catalogNumber": "609488"}
    places = [Place("/a", "scan-EMEC609488-left.jpg")]
    assert RecordIndex([record], places).find(places[0]) is None
    patterns = compile_patterns([r"EMEC(?P<catalogNumber>\d+)"])
    assert RecordIndex([record], places, patterns).find(places[0]) == record
    for bad in ("(", r"EMEC(\d+)"):
        with pytest.raises(UsageError):
            compile_patterns([bad])


@pytest.mark.parametrize(
    ("stem", "view"),
    [
        ("BMNHE_500607_dorsal", "dorsal"),
        ("EMEC1 Ventral", "ventral"),
        ("X-12-label2", "label"),
        ("MCZ123_D", "dorsal"),
        ("Danaus_d", None),
        ("NY_00020326", None),
        ("dorsal", None),
    ],
)
def test_the_view_is_read_from_the_name_when_it_is_there(stem: str, view: str | None) -> None:
    """A lone letter counts only behind a number."""
    assert read_file_name(stem).view == view
