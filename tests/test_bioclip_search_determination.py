"""A later record of a specimen: what stays of what was known, and what goes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bioclip_search.darwin_core import specimen_of
from bioclip_search.determination import Change, change_of, lost_ranks, updated_specimen
from bioclip_search.specimen import Specimen

MONARCH = {
    "catalogNumber": "1",
    "scientificName": "Danaus plexippus (Linnaeus, 1758)",
    "scientificNameAuthorship": "(Linnaeus, 1758)",
    "kingdom": "Animalia",
    "order": "Lepidoptera",
    "family": "Nymphalidae",
    "subfamily": "Danainae",
    "genus": "Danaus",
    "specificEpithet": "plexippus",
    "taxonRank": "SPECIES",
    "vernacularName": "monarch",
    "identifiedBy": "A. Smith",
    "dateIdentified": "1990",
    "identificationQualifier": "?",
    "recordedBy": "B. Jones",
}
STORED = specimen_of(MONARCH)


def updated(**record: str) -> Specimen:
    """What is known of the monarch after a table of just these columns."""
    return updated_specimen(STORED, {name: value for name, value in record.items() if value}, set(record))


def test_a_later_record_updates_and_determinations_never_mix() -> None:
    """An absent column leaves a term, an empty cell clears it, a new name takes its whole lineage."""
    first = specimen_of(
        {
            "catalogNumber": "1",
            "scientificName": "Danaus plexippus",
            "family": "Nymphalidae",
            "sex": "male",
            "country": "X",
        }
    )
    loans = updated_specimen(first, {"catalogNumber": "1", "disposition": "on loan"}, {"catalogNumber", "disposition"})
    assert (loans.taxon, loans.terms["sex"], loans.terms["disposition"]) == (first.taxon, "male", "on loan")
    columns = {"catalogNumber", "scientificName", "sex"}
    later = updated_specimen(loans, {"catalogNumber": "1", "scientificName": "Pieris rapae"}, columns)
    assert (later.taxon.species, later.taxon.family) == ("Pieris rapae", None)
    assert "sex" not in later.terms
    assert later.terms["country"] == "X"
    assert updated_specimen(Specimen(), {"catalogNumber": "2"}, {"catalogNumber"}).catalog_number == "2"


@pytest.mark.parametrize("name", ["Danaus plexippus", "danaus PLEXIPPUS", "Danaus plexippus (Linnaeus, 1758)"])
def test_a_table_that_repeats_the_name_leaves_the_determination(name: str) -> None:
    """Only the name as written and what else the table says are taken over."""
    later = updated(catalogNumber="1", scientificName=name, recordedBy="C. Brown")
    assert later.taxon == STORED.taxon
    assert dict(later.terms) == {**STORED.terms, "scientificName": name, "recordedBy": "C. Brown"}
    assert change_of(STORED, later) is Change.NONE


def test_what_was_read_from_a_name_follows_its_new_spelling() -> None:
    """An author in a column of its own is kept, one that the old name held is that of the new one."""
    assert updated(scientificName="Danaus plexippus L.").terms["scientificNameAuthorship"] == "L."
    own = specimen_of({"scientificName": "Danaus plexippus", "scientificNameAuthorship": "Linnaeus"})
    kept = updated_specimen(own, {"scientificName": "Danaus plexippus L."}, {"scientificName"})
    assert kept.terms["scientificNameAuthorship"] == "Linnaeus"
    open_name = specimen_of({"scientificName": "Danaus sp."})
    bare = updated_specimen(open_name, {"scientificName": "Danaus"}, {"scientificName"})
    assert (bare.taxon.genus, "identificationQualifier" in bare.terms) == ("Danaus", False)
    assert change_of(open_name, bare) is Change.NONE


@pytest.mark.parametrize(
    "record", [{"family": "Nymphalidae"}, {"genus": "Danaus"}, {"specificEpithet": "plexippus"}, {"sex": "female"}]
)
def test_ranks_that_agree_change_nothing_of_the_name(record: dict[str, str]) -> None:
    """A table of numbers and one rank adds that rank, and takes away none."""
    later = updated(catalogNumber="1", **record)
    assert (later.taxon, later.scientific_name) == (STORED.taxon, STORED.scientific_name)
    assert later.terms["identifiedBy"] == "A. Smith"


def test_a_wider_rank_that_differs_is_a_correction_of_that_rank() -> None:
    """The genus may have been moved to another family; the specimen is what it was."""
    later = updated(catalogNumber="1", family="Danaidae")
    assert (later.taxon.family, later.taxon.species, later.taxon.order) == (
        "Danaidae",
        "Danaus plexippus",
        "Lepidoptera",
    )
    assert (later.scientific_name, change_of(STORED, later)) == (STORED.scientific_name, Change.NONE)


@pytest.mark.parametrize(
    "record",
    [{"scientificName": "Danaus chrysippus"}, {"specificEpithet": "chrysippus"}, {"scientificName": "Danaus sp."}],
)
def test_another_name_of_the_genus_keeps_the_ranks_above(record: dict[str, str]) -> None:
    """Species, authors, common name and who determined it when go; nothing of the specimen itself does."""
    later = updated(**record)
    assert (later.taxon.kingdom, later.taxon.order, later.taxon.family) == ("Animalia", "Lepidoptera", "Nymphalidae")
    assert later.taxon.species in (None, "Danaus chrysippus")
    assert (later.taxon.genus, later.taxon.common_name) == ("Danaus", None)
    assert later.terms["subfamily"] == "Danainae"
    assert not {"identifiedBy", "dateIdentified", "scientificNameAuthorship"} & later.terms.keys()
    assert later.terms.get("identificationQualifier") in (None, "sp.")
    assert later.terms["recordedBy"] == "B. Jones"
    assert (change_of(STORED, later), lost_ranks(STORED.taxon, later.taxon)) == (Change.REPLACED, False)


def test_another_genus_loses_the_ranks_that_nothing_confirms() -> None:
    """They may be wrong of it; those above a rank that both are said to share stay."""
    alone = updated(scientificName="Pieris rapae")
    assert list(alone.taxon.lineage) == list(specimen_of({"scientificName": "Pieris rapae"}).taxon.lineage)
    assert "subfamily" not in alone.terms
    assert (change_of(STORED, alone), lost_ranks(STORED.taxon, alone.taxon)) == (Change.REPLACED, True)
    shared = updated(scientificName="Pieris rapae", order="Lepidoptera")
    assert (shared.taxon.kingdom, shared.taxon.order, shared.taxon.family) == ("Animalia", "Lepidoptera", None)
    wider = updated(scientificName="Nymphalidae")
    assert (wider.taxon.family, wider.taxon.genus, wider.taxon.species) == ("Nymphalidae", None, None)


def test_a_name_refines_what_was_known_to_a_family_only() -> None:
    """The usual way of a collection; contradicting ranks are no refinement."""
    known = specimen_of({"scientificName": "Nymphalidae indet.", "order": "Lepidoptera", "family": "Nymphalidae"})
    record = {"scientificName": "Danaus plexippus", "family": "Nymphalidae"}
    assert updated_specimen(known, {"scientificName": "Danaus plexippus"}, {"scientificName"}).taxon.order
    assert updated_specimen(known, record, set(record)).taxon.order == "Lepidoptera"
    assert not updated_specimen(known, {**record, "family": "Asteraceae"}, set(record)).taxon.order


def test_an_empty_cell_clears_and_is_told_from_a_replacement() -> None:
    """An empty name clears the whole determination, an empty rank that rank."""
    later = updated(catalogNumber="1", scientificName="", recordedBy="B. Jones")
    assert (list(later.taxon.lineage), later.scientific_name) == ([], None)
    assert not {"identifiedBy", "dateIdentified"} & later.terms.keys()
    assert change_of(STORED, later) is Change.CLEARED
    no_family = updated(catalogNumber="1", family="")
    assert (no_family.taxon.family, no_family.taxon.species) == (None, "Danaus plexippus")


def test_a_year_follows_the_date_that_it_was_read_from() -> None:
    """A date that is corrected has another year, one that is cleared none; a year that differed stays."""
    first = specimen_of({"catalogNumber": "1", "eventDate": "1911-05-31"})
    for date, year in (("1912", "1912"), ("", None), ("in May", None), ("1911-06", "1911")):
        record = {"catalogNumber": "1", **({"eventDate": date} if date else {})}
        assert updated_specimen(first, record, {"catalogNumber", "eventDate"}).terms.get("year") == year
    own = specimen_of({"catalogNumber": "1", "eventDate": "1911-05-31", "year": "1905"})
    assert updated_specimen(own, {"eventDate": "1912"}, {"eventDate"}).terms["year"] == "1905"
    assert updated_specimen(first, {"sex": "male"}, {"sex"}).terms["year"] == "1911"


NAMES = ("Danaus plexippus", "Danaus plexippus (L.)", "Danaus sp.", "Danaus", "Danaus cf. plexippus", "Nymphalidae")
VALUES = {
    "scientificName": (*NAMES, "Pieris rapae", "Pieris rapae L.", "Danaus plexippus megalippe", "n/a", "× Quercus", ""),
    "order": ("Lepidoptera", "Fagales", ""),
    "family": ("Nymphalidae", "Pieridae", ""),
    "genus": ("Danaus", "Pieris", ""),
    "species": ("Danaus plexippus", "plexippus", "Pieris rapae", ""),
    "specificEpithet": ("plexippus", "rapae", ""),
    "infraspecificEpithet": ("megalippe", ""),
    "scientificNameAuthorship": ("L.", ""),
    "taxonRank": ("species", "family", ""),
    "vernacularName": ("monarch", ""),
    "identifiedBy": ("A. Smith", ""),
    "identificationQualifier": ("cf.", ""),
    "sex": ("female", ""),
    "eventDate": ("1911-05-31", "1905/1906", "May", ""),
    "year": ("1905", "ca. 1900", ""),
}
ROWS = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})


def read(row: dict[str, str]) -> dict[str, str]:
    """A row as it is read: without empty values."""
    return {name: value for name, value in row.items() if value}


@given(ROWS, ROWS)
def test_importing_again_changes_nothing(first: dict[str, str], second: dict[str, str]) -> None:
    """Whatever was known, and whatever the table says."""
    once = updated_specimen(specimen_of(read(first)), read(second), set(second))
    assert updated_specimen(once, read(second), set(second)) == once


@given(ROWS)
def test_a_part_of_the_same_table_changes_nothing(row: dict[str, str]) -> None:
    """Any column alone, and all but any one, say nothing new; unless the parts of the name contradict each other."""
    first, _, last = row.get("species", "").rpartition(" ")
    assume(not last or first == (row.get("genus") or "Danaus"))
    assume(last in ("", row.get("specificEpithet") or last))
    whole = updated_specimen(Specimen(), read(row), set(row))
    for column in row:
        for part in ({column: row[column]}, {name: row[name] for name in row if name != column}):
            assert updated_specimen(whole, read(part), set(part)) == whole


@given(ROWS, ROWS)
def test_what_a_table_says_is_known_after_it(first: dict[str, str], second: dict[str, str]) -> None:
    """Every value of its own that is no part of a name is as it says, and none of an empty column is left."""
    later = updated_specimen(specimen_of(read(first)), read(second), set(second))
    for name in ("order", "family"):
        if name in second:
            assert (getattr(later.taxon, name) or "") == second[name]
    for name in ("scientificName", "identifiedBy", "sex"):
        if name in second:
            assert later.terms.get(name, "") == second[name]
