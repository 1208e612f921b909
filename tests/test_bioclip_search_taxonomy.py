"""Taxa: what is missing stays missing, and the five texts are BioCLIP's."""

import unicodedata
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.taxonomy import RANKS, Rank, Taxon, TextType

_names = st.none() | st.text(ascii_lowercase, min_size=2, max_size=8).map(str.capitalize).filter(
    lambda name: name.lower() not in set(RANKS)
)


@st.composite
def taxa(draw: st.DrawFn) -> Taxon:
    """Any combination of known and missing ranks."""
    names = [draw(_names) for _ in RANKS[:-1]]
    epithet = draw(st.none() | st.text(ascii_lowercase, min_size=2, max_size=8))
    genus = names[-1]
    species = f"{genus} {epithet}" if genus and epithet and epithet not in set(RANKS) else None
    return Taxon(*names, species, draw(_names))


MAGPIE = Taxon(
    "Animalia", "Chordata", "Aves", "Passeriformes", "Corvidae", "Pica", "Pica hudsonia", "black-billed magpie"
)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (TextType.COMMON, "black-billed magpie"),
        (TextType.SCIENTIFIC, "Pica hudsonia"),
        (TextType.TAXONOMIC, "Animalia Chordata Aves Passeriformes Corvidae Pica hudsonia"),
        (TextType.SCIENTIFIC_COMMON, "Pica hudsonia with common name black-billed magpie"),
        (
            TextType.TAXONOMIC_COMMON,
            "Animalia Chordata Aves Passeriformes Corvidae Pica hudsonia with common name black-billed magpie",
        ),
    ],
)
def test_the_five_texts_of_a_complete_taxon_are_those_of_the_paper(kind: TextType, expected: str) -> None:
    """A complete taxon is worded as BioCLIP's training was."""
    assert MAGPIE.text(kind) == expected


def test_a_missing_common_name_falls_back_to_the_scientific_name() -> None:
    """Without a common name no text claims one."""
    oak = Taxon(family="Fagaceae", genus="Quercus")
    assert oak.text(TextType.COMMON) == "Quercus"
    assert oak.text(TextType.SCIENTIFIC_COMMON) == "Quercus"
    assert oak.text(TextType.TAXONOMIC_COMMON) == "Fagaceae Quercus"


@given(taxa())
def test_a_taxon_survives_being_written_as_tagged_text(taxon: Taxon) -> None:
    """Whatever ranks are missing, tagged text gives back every rank in its place."""
    if not taxon.tagged:
        with pytest.raises(ValueError, match="no ranks"):
            Taxon.parse_tagged(taxon.tagged)
    else:
        again = Taxon.parse_tagged(taxon.tagged)
        assert [again.name_at(rank) for rank in RANKS] == [taxon.name_at(rank) for rank in RANKS]


@given(taxa())
def test_a_taxon_survives_being_written_as_columns(taxon: Taxon) -> None:
    """Ranks go to their own columns and come back from them."""
    columns = {rank.value: taxon.name_at(rank) for rank in RANKS} | {"vernacularName": taxon.common_name}
    assert Taxon.from_ranks(columns) == taxon


@given(taxa(), st.sampled_from(list(TextType)))
def test_every_taxon_with_a_name_has_every_text(taxon: Taxon, kind: TextType) -> None:
    """A text is missing only where there is no name at all, and never holds double blanks."""
    text = taxon.text(kind)
    assert (text is None) == (taxon == Taxon())
    assert text is None or "  " not in text


@given(taxa(), st.sampled_from(list(RANKS)))
def test_an_ancestor_keeps_the_wider_ranks_and_drops_the_rest(taxon: Taxon, rank: Rank) -> None:
    """Cutting at a rank changes no wider one."""
    ancestor = taxon.cut_at(rank)
    for other in RANKS:
        expected = taxon.name_at(other) if RANKS.index(other) <= RANKS.index(rank) else None
        assert ancestor.name_at(other) == expected


@given(st.text())
def test_no_control_code_gets_into_a_taxon(name: str) -> None:
    """Names from files are made one clean line."""
    cleaned = Taxon(genus=name).genus
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in cleaned or "")
    assert not set(cleaned or "") & set("\u200b\u200e\u202a\u202e\u2066\u2069\ufeff")


def test_an_epithet_is_completed_with_its_genus_and_alone_names_no_species() -> None:
    """TreeOfLife tables hold the bare epithet in their species column."""
    assert Taxon.from_ranks({"genus": "Pica", "species": "hudsonia"}).species == "Pica hudsonia"
    assert Taxon.from_ranks({"family": "Corvidae", "species": "hudsonia"}).species is None
