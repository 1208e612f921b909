"""Scientific names as collections write them."""

import dataclasses
import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioclip_search.names import NameKind, ParsedName, parse_name

_CLAIMING = (NameKind.SCIENTIFIC, NameKind.HYBRID)


@pytest.mark.parametrize(
    ("text", "species", "authorship", "rank"),
    [
        ("Papilio machaon", "Papilio machaon", None, "species"),
        ("Papilio machaon Linnaeus, 1758", "Papilio machaon", "Linnaeus, 1758", "species"),
        ("Puma concolor (Linnaeus, 1771)", "Puma concolor", "(Linnaeus, 1771)", "species"),
        ("Aus bus de la Torre y Callejas, 1950", "Aus bus", "de la Torre y Callejas, 1950", "species"),
        ("Aus bus d'Orbigny, 1840", "Aus bus", "d'Orbigny, 1840", "species"),
        ("Asteraceae Bercht. & J.Presl", None, "Bercht. & J.Presl", "family"),
        ("Carabus (Procrustes) violaceus L.", "Carabus violaceus", "L.", "species"),
        ("Coccinella 7-punctata", "Coccinella 7-punctata", None, "species"),
        ("Polygonia c-album", "Polygonia c-album", None, "species"),
        ("Isoëtes lacustris", "Isoëtes lacustris", None, "species"),
        ("†Tyrannosaurus rex", "Tyrannosaurus rex", None, "species"),
        ("Mastus pupa", "Mastus pupa", None, "species"),
        ("Lonchoptera lutea", "Lonchoptera lutea", None, "species"),
    ],
)
def test_plain_names(text: str, species: str | None, authorship: str | None, rank: str) -> None:
    """A plain name is claimed as it stands, its authorship kept apart."""
    name = parse_name(text)
    assert (name.kind, name.species, name.authorship, name.rank) == (NameKind.SCIENTIFIC, species, authorship, rank)


@pytest.mark.parametrize(
    ("text", "canonical", "epithet", "rank"),
    [
        ("Salix alba ssp. vitellina", "Salix alba subsp. vitellina", "vitellina", "subspecies"),
        ("Rosa canina var. dumalis Baker", "Rosa canina var. dumalis", "dumalis", "variety"),
        ("Rosa canina f. inermis", "Rosa canina f. inermis", "inermis", "form"),
        ("Parus major major Linnaeus, 1758", "Parus major major", "major", "subspecies"),
        ("Corvus corone cornix", "Corvus corone cornix", "cornix", None),
    ],
)
def test_trinomials(text: str, canonical: str, epithet: str, rank: str | None) -> None:
    """A trinomial keeps its third epithet; its rank is told only where the text tells it."""
    name = parse_name(text)
    assert (name.canonical, name.infraspecific_epithet, name.rank) == (canonical, epithet, rank)
    assert name.species == " ".join(canonical.split()[:2])


@pytest.mark.parametrize("text", ["papilio machaon", "papilio MACHAON", "PAPILIO MACHAON", "PAPILIO machaon"])
def test_wrong_capitals(text: str) -> None:
    """A binomial in the wrong capitals is put right."""
    assert parse_name(text).species == "Papilio machaon"


@pytest.mark.parametrize(
    ("text", "canonical", "authorship"),
    [
        ("PAPILIO MACHAON LINNAEUS, 1758", "Papilio machaon", "Linnaeus, 1758"),
        ("ABIES ALBA MILL.", "Abies alba", "Mill."),
        ("PARUS MAJOR LINNAEUS", "Parus major", "Linnaeus"),
        ("ACER LINNAEUS", "Acer", "Linnaeus"),
        ("CARABUS (PROCRUSTES) VIOLACEUS", "Carabus violaceus", None),
        ("QUERCUS ROBUR VAR. ALBA LAM.", "Quercus robur var. alba", "Lam."),
        ("Papilio MACHAON", "Papilio", "Machaon"),
        ("Homo Sapiens", "Homo", "Sapiens"),
    ],
)
def test_authors_in_capitals(text: str, canonical: str, authorship: str | None) -> None:
    """A capitalised word that may be an author becomes no epithet."""
    name = parse_name(text)
    assert (name.canonical, name.authorship) == (canonical, authorship)


@pytest.mark.parametrize(
    ("text", "genus", "qualifier"),
    [
        ("Carabus sp.", "Carabus", "sp."),
        ("carabus sp", "Carabus", "sp"),
        ("CARABUS SP.", "Carabus", "sp."),
        ("Carabus spp.", "Carabus", "spp."),
        ("Carabus species", "Carabus", "species"),
        ("Carabus sp. 3", "Carabus", "sp. 3"),
        ("Carabus sp1", "Carabus", "sp1"),
        ("Carabus sp. nov.", "Carabus", "sp. nov."),
        ("Carabus n. sp.", "Carabus", "n. sp."),
        ("Carabus sp. cf. violaceus", "Carabus", "sp. cf. violaceus"),
        ("Carabus ssp.", "Carabus", "ssp."),
        ("Carabus (Procrustes) sp. 2", "Carabus", "sp. 2"),
        ("Carabus cf. violaceus", "Carabus", "cf."),
        ("Carabus cf violaceus L.", "Carabus", "cf"),
        ("CARABUS CF. VIOLACEUS", "Carabus", "cf."),
        ("Carabus aff. violaceus", "Carabus", "aff."),
        ("Carabus nr violaceus", "Carabus", "nr"),
        ("Carabus prope violaceus", "Carabus", "prope"),
        ("Carabus ex gr. violaceus", "Carabus", "ex gr."),
        ("Carabus gr. violaceus", "Carabus", "gr."),
        ("Carabus violaceus L. cf.", "Carabus", "cf."),
        ("Carabus cf. × violaceus", "Carabus", "cf."),
        ("Carabus violaceus ♀ cf.", "Carabus", "cf."),
        ("cf. Carabus violaceus", None, "cf."),
        ("probably Carabus violaceus", None, "probably"),
        ("Carabus ?violaceus", "Carabus", "?"),
        ("Carabus violaceus?", "Carabus", "?"),
        ("Carabus violaceus ?", "Carabus", "?"),
        ("Carabus (?) violaceus", "Carabus", "?"),
        ("Carabus violaceus (?)", "Carabus", "?"),
        ("?Carabus violaceus", None, "?"),
        ("Carabus? violaceus", None, "?"),
        ("Carabus?", None, "?"),
        ("Carabus indet.", None, "indet."),
        ("Carabus unidentified", None, "unidentified"),
        ("Carabus BOLD:AAA0001", None, "BOLD:AAA0001"),
    ],
)
def test_doubt(text: str, genus: str | None, qualifier: str) -> None:
    """A doubted name claims no species, and its epithet is nowhere but in the text as written."""
    name = parse_name(text)
    assert name == ParsedName(
        text, NameKind.INFORMAL, "Carabus", genus, qualifier=qualifier, rank="genus" if genus else None
    )
    assert name.species is None


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [
        ("Noctuidae gen. sp.", "gen. sp."),
        ("noctuidae gen. sp.", "gen. sp."),
        ("Noctuidae gen. et sp. indet.", "gen. et sp. indet."),
        ("Noctuidae sp.", "sp."),
        ("Noctuidae alba", "alba"),
        ("Coleoptera sp.", "sp."),
        ("Coleoptera larva", "larva"),
        ("Coleoptera incertae sedis", "incertae sedis"),
        ("Lonchoptera sp.", "sp."),
        ("Passeriformes sp. 2", "sp. 2"),
        ("Asteraceae cf. Bellis", "cf."),
        ("Fungi sp.", "sp."),
    ],
)
def test_names_above_the_genus(text: str, qualifier: str) -> None:
    """A name of a family or a wider group is no genus, whatever follows it."""
    name = parse_name(text)
    assert (name.kind, name.genus, name.species, name.qualifier) == (NameKind.INFORMAL, None, None, qualifier)
    assert name.canonical == text.split()[0].capitalize()


@pytest.mark.parametrize("text", ["Homo", "Coleoptera", "Noctuidae", "Insecta", "Homo L.", "homo", "John Smith"])
def test_single_words(text: str) -> None:
    """A single word may be of any rank and so is no genus."""
    name = parse_name(text)
    assert (name.kind, name.canonical, name.genus) == (NameKind.SCIENTIFIC, text.split()[0].capitalize(), None)


@pytest.mark.parametrize(
    ("text", "qualifier", "rank"),
    [
        ("Carabus violaceus cf. purpurascens", "cf.", "species"),
        ("Carabus violaceus subsp. cf. purpurascens", "cf.", "species"),
        ("Carabus violaceus subsp. indet.", "indet.", "species"),
        ("Carabus violaceus ssp.", "ssp.", "species"),
        ("Carabus violaceus sp. nov.", "sp. nov.", "species"),
        ("Carabus violaceus agg.", "agg.", "species aggregate"),
        ("Carabus violaceus aggr.", "agg.", "species aggregate"),
        ("Carabus violaceus species group", "species group", "species aggregate"),
        ("Carabus violaceus s.l.", "s.l.", "species"),
        ("Carabus violaceus sensu Smith 1990", "sensu Smith 1990", "species"),
    ],
)
def test_qualified_but_claimed(text: str, qualifier: str, rank: str) -> None:
    """A doubt below the species, an aggregate and a sense leave the species claimed, and are kept as written."""
    name = parse_name(text)
    assert (name.kind, name.canonical, name.species) == (NameKind.SCIENTIFIC, "Carabus violaceus", "Carabus violaceus")
    assert (name.infraspecific_epithet, name.qualifier, name.rank) == (None, qualifier, rank)


@pytest.mark.parametrize("text", ["Acer palmatum 'Atropurpureum'", "Acer palmatum cv. Atropurpureum"])
def test_cultivars(text: str) -> None:
    """A cultivar stays in the canonical name and its species is claimed."""
    name = parse_name(text)
    assert (name.canonical, name.species) == ("Acer palmatum 'Atropurpureum'", "Acer palmatum")
    assert (name.infraspecific_epithet, name.rank) == (None, "cultivar")


@pytest.mark.parametrize(
    ("text", "species"),
    [
        ("Quercus × hispanica", "Quercus × hispanica"),
        ("Quercus x hispanica Lam.", "Quercus × hispanica"),
        ("Quercus ×hispanica", "Quercus × hispanica"),
        ("Quercus xhispanica", "Quercus × hispanica"),
        ("QUERCUS X HISPANICA", "Quercus × hispanica"),
        ("quercus × hispanica", "Quercus × hispanica"),
        ("Mentha × piperita var. citrata", "Mentha × piperita"),
        ("x Cupressocyparis leylandii", "× Cupressocyparis leylandii"),
    ],
)
def test_named_hybrids(text: str, species: str) -> None:
    """A hybrid with a name of its own is a species, and its sign is kept."""
    name = parse_name(text)
    assert (name.kind, name.species) == (NameKind.HYBRID, species)
    assert (name.canonical or "").startswith(species)


@pytest.mark.parametrize(
    ("text", "canonical", "genus"),
    [
        ("Quercus robur × Quercus petraea", "Quercus robur × Quercus petraea", "Quercus"),
        ("Quercus robur L. x Q. petraea (Matt.) Liebl.", "Quercus robur × Quercus petraea", "Quercus"),
        ("Quercus robur × petraea", "Quercus robur × Quercus petraea", "Quercus"),
        ("Quercus (robur × petraea)", "Quercus robur × Quercus petraea", "Quercus"),
        ("ANAS PLATYRHYNCHOS X ANAS ACUTA", "Anas platyrhynchos × Anas acuta", "Anas"),
        ("anas platyrhynchos x anas acuta", "Anas platyrhynchos × Anas acuta", "Anas"),
        ("Quercus sp. × Quercus robur", "Quercus × Quercus robur", "Quercus"),
        ("Quercus robur × Fagus sylvatica", "Quercus robur × Fagus sylvatica", None),
        ("Quercus × Fagus", "Quercus × Fagus", None),
        ("Quercus hybrid", "Quercus", "Quercus"),
        ("Salix ×", "Salix", "Salix"),
    ],
)
def test_hybrid_formulas(text: str, canonical: str, genus: str | None) -> None:
    """A formula is no species, and of a genus only where its parents share one."""
    name = parse_name(text)
    assert (name.kind, name.canonical, name.genus, name.species) == (NameKind.HYBRID, canonical, genus, None)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            NameKind.PLACEHOLDER,
            "Indet.|INDET|undetermined|Unidentified|unidentified beetle|n/a|N/A|NA|n.a.|unknown|Unknown sp.|-|--|?|...|"
            "none|NULL|tbd|not identified|to be determined|not applicable|Gen. sp.|sp.|sp. 3|Genus species|"
            "incertae sedis|environmental sample",
        ),
        (
            NameKind.CODE,
            "BOLD:AAA0001|BOLD:AAA0001 sp.|SH1234.08FU|SH1234567.08FU|OTU_0012|ASV_12|GBIF:2435098|12345|"
            "urn:lsid:marinespecies.org:taxname:127160|https://www.gbif.org/species/1",
        ),
        (NameKind.VIRUS, "Tobacco mosaic virus|Influenza A virus|Bacteriophage T4|Tobamovirus|Baculoviridae"),
        (
            NameKind.UNPARSABLE,
            "Abies alba, Picea abies|Abies alba Mill., Picea abies (L.) H.Karst.|Abies alba & Picea abies|"
            "Abies alba; Picea abies|Abies alba / Picea abies|Abies alba / P. abies|Abies alba + Picea abies|"
            "Abies alba and Picea abies|Abies alba on Picea abies|Abies alba (Picea abies)|Abies alba Picea abies|"
            "Abies alba or nigra|Abies alba/nigra|Aus bus cus dus|specimen of Homo sapiens|DNA sample|Aus a|"
            "[bold]Homo sapiens[/bold]|1234 Homo sapiens|Cf. violaceus|Пихта белая|黑猩猩|😀|×",
        ),
        (NameKind.EMPTY, "| |\t\n|\x00\x1b|\u200b|\ud800"),
    ],
)
def test_no_names(kind: NameKind, texts: str) -> None:
    """What is no name, or more than one, is told apart and claims nothing."""
    separator = "|"
    for text in texts.split(separator):
        name = parse_name(text)
        assert name.kind is kind, text
        assert (name.genus, name.specific_epithet, name.species) == (None, None, None), text


def test_several_names_between_bars() -> None:
    """Names that a bar or an equals sign joins are several."""
    assert {parse_name(f"Abies alba {sign} Picea abies").kind for sign in "|="} == {NameKind.UNPARSABLE}


def test_nothing() -> None:
    """No text at all is empty."""
    assert parse_name(None) == ParsedName(None, NameKind.EMPTY)


@pytest.mark.parametrize(
    "text",
    [
        "<i>Homo sapiens</i>",
        "&lt;i&gt;Homo&lt;/i&gt; sapiens",
        '"Homo sapiens"',
        "[Homo sapiens]",
        "Homo_sapiens",
        "Homo\x00sapiens\u202e",
        "Homo sapiens 😀",
        "Homo sapiens ♂",
        "Homo sapiens male",
        "Homo sapiens juv.",
        "Homo sapiens larva",
        "Homo sapiens det. Smith 1999",
    ],
)
def test_dress(text: str) -> None:
    """Markup, controls, and what is said of the specimen do not hide a name."""
    name = parse_name(text)
    assert (name.kind, name.canonical) == (NameKind.SCIENTIFIC, "Homo sapiens")


@pytest.mark.parametrize("unit", ["Homo sapiens ", "× ", "(", "?", "a", "1", "<i>", "&amp;", "cf. ", "[x ", "-. "])
@pytest.mark.parametrize("length", [999, 10_000])
def test_long_texts(unit: str, length: int) -> None:
    """A text of any length is answered at once, and a very long one is no name."""
    text = ("Homo sapiens " + unit * length)[:length]
    began = time.perf_counter()
    name = parse_name(text)
    assert time.perf_counter() - began < 2
    assert length < 1_000 or name.kind is NameKind.UNPARSABLE


def test_verbatim() -> None:
    """The text as written is kept, on one line."""
    assert parse_name(" Carabus\ncf.  violaceus ").verbatim == "Carabus cf. violaceus"


def test_import_is_light() -> None:
    """The parser is loaded by the first name, not by the import."""
    code = "import sys, bioclip_search.names; sys.exit('nameparser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


_LABEL_WORDS = st.sampled_from(
    "Carabus carabus CARABUS violaceus VIOLACEUS × x X cf. aff. sp. sp1 ? ?b (Aus) ( ) L. Mill., 1758 & et var. subsp. "
    "agg. / , ; 'Red' n. gen. indet. Noctuidae Q. <i> &#27; BOLD:AAA0001 virus 😀 - . ♀ larva ex gr. \u0301 ß İ".split()
)
_TEXTS = st.one_of(st.text(), st.lists(_LABEL_WORDS, max_size=9).map(" ".join))


@settings(max_examples=400)
@given(_TEXTS)
def test_any_text(text: str) -> None:
    """Whatever the text, there is an answer; a species has a genus and a kind that claims it; controls are gone."""
    name = parse_name(text)
    if name.species is not None:
        assert name.genus is not None
        assert name.specific_epithet is not None
        assert name.kind in _CLAIMING
    if name.kind not in _CLAIMING:
        assert (name.specific_epithet, name.infraspecific_epithet) == (None, None)
    for field in dataclasses.astuple(name):
        assert field is None or (field and not any(unicodedata.category(sign) == "Cc" for sign in field))


@settings(max_examples=400)
@given(_TEXTS)
def test_doubt_is_never_lost(text: str) -> None:
    """No text with a doubt before its second word claims a species."""
    for doubt in ("cf.", "aff.", "?", "sp."):
        assert parse_name(f"Carabus {doubt} {text}").species is None or "×" in text


_VOWELS, _CONSONANTS = st.sampled_from("aeiou"), st.sampled_from("bcdfglmnprst")
_SYLLABLES = st.tuples(_CONSONANTS, _VOWELS).map("".join)
_STEMS = st.lists(_SYLLABLES, min_size=2, max_size=5).map("".join)
_GENERA = st.builds("{}{}".format, _STEMS.map(str.capitalize), st.sampled_from(("us", "um", "ella", "is")))
_EPITHETS = st.builds("{}{}".format, _STEMS, st.sampled_from(("us", "ensis", "ata", "oides")))


@given(_GENERA, _EPITHETS, st.sampled_from(("", " L.", " Smith, 1901", " (L.) Mill.", " agg.")))
def test_binomials_are_stable(genus: str, epithet: str, author: str) -> None:
    """A binomial of any words is claimed, and its canonical name says the same again."""
    name = parse_name(f"{genus} {epithet}{author}")
    assert (name.kind, name.canonical, name.species) == (NameKind.SCIENTIFIC, f"{genus} {epithet}", name.canonical)
    assert parse_name(name.canonical).canonical == name.canonical


@settings(max_examples=400)
@given(_TEXTS)
def test_canonical_names_add_no_species(text: str) -> None:
    """The canonical name claims no other species than the text did."""
    name = parse_name(text)
    assert parse_name(name.canonical).species in (name.species, None)
