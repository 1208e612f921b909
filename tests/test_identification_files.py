"""Lists of taxa, labels, bins and published text embeddings: what is read from files, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.errors import ModelMismatch, RecordError, UnknownTaxon, UsageError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.identification.candidates import listed, part, read_taxa
from bioclip_search.identification.labels import read_bins, read_labels
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.identification.text_origin import TextOrigin, origin_file
from bioclip_search.identification.tree_of_life import TreeOfLifeTexts
from bioclip_search.taxonomy import Taxon

_MONARCH = Taxon("Animalia", None, "Insecta", None, "Nymphalidae", "Danaus", "Danaus plexippus", "monarch")
_KNOWN = TaxonTable.of([_MONARCH, Taxon("Animalia", family="Pieridae", genus="Pieris", species="Pieris rapae")])


def _written(folder: Path, text: str) -> Path:
    file = folder / "taxa.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_list_holds_a_name_a_line(tmp_path: Path) -> None:
    """Known names get their lineage, families are known by their ending, anything else is genus or species."""
    file = _written(tmp_path, "\nDanaus plexippus (Linnaeus, 1758)\nPieridae\nCarabidae\nQuercus robur\nFagus\n")
    assert read_taxa(file, _KNOWN) == [
        Taxon("Animalia", None, "Insecta", None, "Nymphalidae", "Danaus", "Danaus plexippus"),
        Taxon("Animalia", family="Pieridae"),
        Taxon(family="Carabidae"),
        Taxon(genus="Quercus", species="Quercus robur"),
        Taxon(genus="Fagus"),
    ]


def test_a_table_has_ranks_or_scientific_names(tmp_path: Path) -> None:
    """Darwin Core columns in any case, wherever they stand; other columns do not matter."""
    ranks = _written(tmp_path, "id,Kingdom,family,genus,specificEpithet\n1,Plantae,Fagaceae,Quercus,robur\n")
    assert read_taxa(ranks, _KNOWN) == [Taxon("Plantae", family="Fagaceae", genus="Quercus", species="Quercus robur")]
    names = _written(tmp_path, "scientificName\tvernacularName\nQuercus robur L.\toak\n")
    assert read_taxa(names, _KNOWN)[0].species == "Quercus robur"


@pytest.mark.parametrize(
    "text", ["Art,Anzahl\nQuercus robur,3\nFagus,1\n", "id\tname\n1\tFagus\n", "sep=;\nid;name\n1;Fagus\n"]
)
def test_a_table_of_other_columns_is_not_taken_for_a_list(tmp_path: Path, text: str) -> None:
    """Its lines would be names that nothing bears."""
    with pytest.raises(RecordError, match=r"is a table, but none of its columns \((Art, Anzahl|id, name)\)"):
        read_taxa(_written(tmp_path, text), _KNOWN)


def test_names_of_a_list_may_hold_commas(tmp_path: Path) -> None:
    """Authors are parted from years by them, and from each other."""
    names = "Danaus plexippus (Linnaeus, 1758)\nPieris rapae (Linnaeus, 1758)\n"
    assert [taxon.species for taxon in read_taxa(_written(tmp_path, names), _KNOWN)] == [
        *("Danaus plexippus", "Pieris rapae")
    ]
    mixed = "Fagus\nQuercus alba Smith, Jones & Brown\n"
    assert len(read_taxa(_written(tmp_path, mixed), _KNOWN)) == 2


def test_taxa_of_a_list_learn_wider_ranks_from_known_ones(tmp_path: Path) -> None:
    """A new species of a known genus is put where the genus is."""
    table = listed([Taxon(genus="Danaus", species="Danaus chrysippus")], _KNOWN)
    assert len(table) == 1
    assert (table[0].kingdom, table[0].family) == ("Animalia", "Nymphalidae")


@pytest.mark.parametrize("text", ["", "\n\n", "scientificName\n", "kingdom,genus\n,\n"])
def test_a_list_without_taxa_is_refused(tmp_path: Path, text: str) -> None:
    """There would be nothing to choose from."""
    with pytest.raises(RecordError, match="names no taxon"):
        read_taxa(_written(tmp_path, text), _KNOWN)


def test_unknown_names_are_told_and_the_others_go_on() -> None:
    """Only when no name is known is there nothing to identify among; near names are offered."""
    told: list[str] = []
    assert part(_KNOWN, ("Nymphalidae", "Nowhere"), None, told.append).tolist() == [0]
    assert part(_KNOWN, (), [Taxon(genus="Pieris"), Taxon(genus="Fagus")], told.append).tolist() == [1]
    assert part(_KNOWN, ("monarch",), None, told.append).tolist() == [0]
    assert told == ["Nowhere", "Fagus"]
    with pytest.raises(UnknownTaxon, match="Nymphalidae"):
        part(_KNOWN, ("Nymfalidae",), None, told.append)


def _embeddings(folder: Path, columns: np.ndarray, names: object) -> Path:
    file = folder / "txt_emb.npy"
    np.save(file, columns)
    file.with_suffix(".json").write_text(json.dumps(names), encoding="utf-8")
    return file


def _entry(genus: str, epithet: str, common: str = "") -> list[object]:
    return [["Animalia", "", "", "", "", genus, epithet], common]


def test_published_text_embeddings_are_read_as_they_are(tmp_path: Path) -> None:
    """Seven names with an epithet and a common name a column; missing ranks stay missing; zeros are no taxon."""
    columns = np.eye(4, 3, dtype=np.float32)
    columns[:, 1] = 0
    texts = TreeOfLifeTexts(
        _embeddings(tmp_path, columns, [_entry("Danaus", "plexippus", "monarch"), _entry("Pieris", ""), _entry("", "")])
    )
    assert [texts.taxa[row] for row in range(3)] == [
        Taxon("Animalia", genus="Danaus", species="Danaus plexippus", common_name="monarch"),
        Taxon("Animalia", genus="Pieris"),
        Taxon("Animalia"),
    ]
    assert np.array_equal(np.concatenate(list(texts.blocks()), axis=1), columns)
    assert texts.present.tolist() == [True, False, True]
    assert texts.origin is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.nan, r"no finite numbers, first in column 2; copy it again"),
        (np.inf, "no finite numbers"),
        (5.0, r"not of length 1 \(column 2: 5\)"),
        (0.98, "not of length 1"),
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(tmp_path: Path, value: float, reason: str) -> None:
    """No numbers, and lengths other than 1, as of features before they are made unit length."""
    columns = np.array([[1, value], [0, 0]], dtype=np.float32)
    with pytest.raises(RecordError, match=reason):
        TreeOfLifeTexts(_embeddings(tmp_path, columns, [_entry("A", "a"), _entry("B", "b")]))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_numbers_of_any_size_are_of_unit_length(tmp_path: Path, dtype: str) -> None:
    """What float16 rounds is near enough."""
    vectors = np.random.default_rng(0).normal(size=(512, 2))
    columns = (vectors / np.linalg.norm(vectors, axis=0)).astype(dtype)
    assert TreeOfLifeTexts(_embeddings(tmp_path, columns, [_entry("A", "a"), _entry("B", "b")])).present.all()


_MODEL = Fingerprint("my-model", "ViT-B-16", 2, "squash-224", "aa")


def test_text_embeddings_know_their_model(tmp_path: Path) -> None:
    """Other weights are refused; another name, or photos preprocessed otherwise, change no text."""
    file = _embeddings(tmp_path, np.eye(2, 1), [_entry("A", "a")])
    TextOrigin.of(replace(_MODEL, model="/home/somebody/my-model"), file.with_suffix(".json")).write(file)
    texts = TreeOfLifeTexts(file)
    assert texts.origin is not None
    assert texts.origin.model == _MODEL
    texts.require_model(replace(_MODEL, model="elsewhere", preprocessing="crop-224"))
    with pytest.raises(ModelMismatch, match=r"are of the model my-model .* not of other .*train texts --model"):
        texts.require_model(replace(_MODEL, model="other", weights_sha256="bb"))


def test_what_is_kept_of_the_model_belongs_to_the_names(tmp_path: Path) -> None:
    """A list that was exchanged, or a file that is damaged, is one sentence with the remedy."""
    file = _embeddings(tmp_path, np.eye(2, 1), [_entry("A", "a")])
    names = file.with_suffix(".json")
    TextOrigin.of(_MODEL, names).write(file)
    names.write_text(json.dumps([_entry("B", "b")]))
    with pytest.raises(RecordError, match="belongs to another list of taxa"):
        TreeOfLifeTexts(file)
    for content in ("[]", "{", '{"model": {}, "names_sha256": ""}'):
        origin_file(file).write_text(content)
        with pytest.raises(RecordError, match="cannot be read; copy it again"):
            TreeOfLifeTexts(file)


def test_text_embeddings_are_no_list_of_taxa(tmp_path: Path) -> None:
    """The sentence names the option for them."""
    with pytest.raises(RecordError, match=r"text embeddings \(--text-embeddings\)"):
        read_taxa(_embeddings(tmp_path, np.eye(2, 1), [_entry("A", "a")]), _KNOWN)


@pytest.mark.parametrize(
    ("columns", "names", "reason"),
    [
        (np.eye(3, 1), [_entry("A", "a")], "has 3 rows, but"),
        (np.zeros((2, 1)), [_entry("A", "a")], "nothing but zeros"),
        (np.zeros((2, 2)), [_entry("A", "a")], "names 1 taxa"),
        (np.zeros(2), [], "is not a table"),
        (np.zeros((2, 1), dtype=np.int64), [], "is not a table"),
        (np.array([None, {}], dtype=object), [], "is not a .npy file of numbers"),
        (np.zeros((2, 1)), {"A": 1}, "is not a list"),
        (np.zeros((2, 1)), [["A"]], "is not a list"),
        (np.zeros((2, 1)), [[["A"] * 6, ""]], "is not a list"),
        (np.zeros((2, 1)), [[[1] * 7, ""]], "is not a list"),
    ],
)
def test_text_embeddings_that_do_not_fit_are_refused(
    tmp_path: Path, columns: np.ndarray, names: object, reason: str
) -> None:
    """Another model's, another release's, a pickle, no list: one sentence each."""
    with pytest.raises(RecordError, match=reason):
        TreeOfLifeTexts(_embeddings(tmp_path, columns, names)).require_model(_MODEL)


def test_text_embeddings_that_are_cut_off_or_absent_are_refused(tmp_path: Path) -> None:
    """A file that is not whole, and a JSON file that is not there."""
    file = _embeddings(tmp_path, np.zeros((2, 1), dtype=np.float32), [_entry("A", "a")])
    file.with_suffix(".json").write_text('[[["A", "", "", "", "", "", ""], ""]')
    with pytest.raises(RecordError, match="is not a list"):
        TreeOfLifeTexts(file)
    file.with_suffix(".json").unlink()
    with pytest.raises(RecordError, match="put them beside"):
        TreeOfLifeTexts(file)
    file.write_bytes(file.read_bytes()[:90])
    with pytest.raises(RecordError, match=r"text embeddings|not a \.npy"):
        TreeOfLifeTexts(file)


def test_labels_are_separated_by_commas_or_lines(tmp_path: Path) -> None:
    """In a file a comma is part of the label."""
    assert read_labels(" dorsal view, ventral view,,dorsal view").labels == ("dorsal view", "ventral view")
    assert read_labels(str(_written(tmp_path, "beetle, pinned\nlabel only\n"))).labels == (
        "beetle, pinned",
        "label only",
    )
    with pytest.raises(UsageError, match="There is no label"):
        read_labels(" , ")


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_bins_sum_their_labels(values: list[float]) -> None:
    """The probability of a bin is that of its labels."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        bins = read_bins(_written(Path(folder), 'label,bin\n"a, b",one\nc,two\nd,one\n\n'))
    assert bins.labels == ("a, b", "c", "d")
    found = dict(bins.best(np.asarray(values, dtype=np.float32), None))
    assert found["one"] == pytest.approx(values[0] + values[2], abs=1e-6)
    assert found["two"] == pytest.approx(values[1], abs=1e-6)


@pytest.mark.parametrize("text", ["label,bin\n", "label,bin\na,\n", "label\na\n", 'label,bin\n"a,b\n'])
def test_bins_that_say_nothing_are_refused(tmp_path: Path, text: str) -> None:
    """No labels, a label without a bin, no second column, an open quote."""
    with pytest.raises(RecordError):
        read_bins(_written(tmp_path, text))
