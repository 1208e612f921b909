"""Text embeddings of many taxa: every column is there, in the published layout, and none is made twice."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import Command, write_model

from bioclip_search.embedder import Embedder, Features
from bioclip_search.errors import RecordError, UsageError
from bioclip_search.identification.taxa import TaxonTable
from bioclip_search.identification.tree_of_life import TreeOfLifeTexts
from bioclip_search.taxonomy import Taxon
from training import texts
from training.metrics import Silence
from training.texts import published_text, read_taxa, write_texts


@pytest.fixture(scope="module")
def embedder(small_model: Path) -> Embedder:
    """The small model on the CPU in float32."""
    return Embedder.load(str(small_model), device="cpu", dtype="float32")


@pytest.fixture
def taxa(monkeypatch: pytest.MonkeyPatch) -> TaxonTable:
    """Seven taxa, done three at a time: the last batch holds one."""
    monkeypatch.setattr(texts, "_TAXA_AT_ONCE", 3)
    named = [
        Taxon("Animalia", genus="Danaus", species=f"Danaus {epithet}") for epithet in "plexippus chrysippus".split()
    ]
    named += [Taxon("Plantae", family="Fagaceae", genus="Quercus", common_name=f"oak {number}") for number in range(4)]
    return TaxonTable.of([*named, Taxon(common_name="something")])


class Counting(Silence):
    """Progress that counts, and that breaks off after some taxa."""

    def __init__(self, most: int = 10**9) -> None:
        self.done, self._most = 0, most

    def advance(self, photos: int) -> None:
        self.done += photos
        if self.done >= self._most:
            raise KeyboardInterrupt


def test_every_column_is_its_taxons_mean_over_the_templates(
    embedder: Embedder, taxa: TaxonTable, tmp_path: Path
) -> None:
    """float32 [dim, taxa]; the last, smaller batch is written like the others."""
    report = write_texts(embedder, taxa, tmp_path / "texts.npy", Silence())
    array = np.load(report.file)
    assert (array.shape, array.dtype) == ((32, 7), np.float32)
    assert np.linalg.norm(array, axis=0) == pytest.approx(np.ones(7), abs=1e-5)
    for column in range(7):
        expected: Features = embedder.encode_names([published_text(taxa[column])])[0]
        assert array[:, column] == pytest.approx(expected, abs=1e-6)


def test_names_are_written_as_they_are_published(embedder: Embedder, taxa: TaxonTable, tmp_path: Path) -> None:
    """Seven names, the epithet last, and the common name; “” where one is missing. Ours reads them back."""
    write_texts(embedder, taxa, tmp_path / "texts.npy", Silence())
    names = json.loads((tmp_path / "texts.json").read_text())
    assert names[0] == [["Animalia", "", "", "", "", "Danaus", "plexippus"], ""]
    assert names[2] == [["Plantae", "", "", "", "Fagaceae", "Quercus", ""], "oak 0"]
    assert published_text(taxa[2]) == "Plantae Fagaceae Quercus oak 0"
    read = TreeOfLifeTexts(tmp_path / "texts.npy")
    assert [read.taxa[row] for row in range(7)] == [taxa[row] for row in range(7)]
    assert np.array_equal(np.concatenate(list(read.blocks()), axis=1), np.load(tmp_path / "texts.npy"))


def test_what_was_interrupted_goes_on(embedder: Embedder, taxa: TaxonTable, tmp_path: Path) -> None:
    """Nothing has the file's name before it is whole; taxa that are done are not done again; the bytes are the same."""
    file = tmp_path / "texts.npy"
    with pytest.raises(KeyboardInterrupt):
        write_texts(embedder, taxa, file, Counting(most=3))
    assert not file.exists()
    assert not file.with_suffix(".json").exists()
    going_on = Counting()
    write_texts(embedder, taxa, file, going_on)
    assert going_on.done == 4
    write_texts(embedder, taxa, tmp_path / "whole.npy", Silence())
    assert file.read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{ending}" for name in ("texts", "whole") for ending in ("npy", "json", "model.json")
    }


def test_other_taxa_do_not_go_on_where_these_stopped(embedder: Embedder, taxa: TaxonTable, tmp_path: Path) -> None:
    """An interrupted file of another list is begun anew."""
    with pytest.raises(KeyboardInterrupt):
        write_texts(embedder, taxa, tmp_path / "texts.npy", Counting(most=3))
    counting = Counting()
    write_texts(embedder, taxa.take(np.arange(6, -1, -1)), tmp_path / "texts.npy", counting)
    assert counting.done == 7


def test_files_are_replaced_only_on_demand(embedder: Embedder, taxa: TaxonTable, tmp_path: Path) -> None:
    """Array or names, either alone is reason to refuse; another ending too."""
    (tmp_path / "texts.json").write_text("[]")
    with pytest.raises(UsageError, match="--force"):
        write_texts(embedder, taxa, tmp_path / "texts.npy", Silence())
    write_texts(embedder, taxa, tmp_path / "texts.npy", Silence(), force=True)
    assert len(json.loads((tmp_path / "texts.json").read_text())) == 7
    with pytest.raises(UsageError, match=r"\.npy"):
        write_texts(embedder, taxa, tmp_path / "texts.bin", Silence())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", "Danaus plexippus\nQuercus robur\nDanaus plexippus\n"),
        ("table.csv", "genus,specificEpithet\nDanaus,plexippus\nQuercus,robur\n,\nQuercus,robur\n"),
        (
            "names.json",
            '[[["","","","","","Danaus","plexippus"],""],[["","","","","","Quercus","robur"],""]]',
        ),
    ],
)
def test_taxa_come_from_lists_tables_and_published_names(tmp_path: Path, name: str, content: str) -> None:
    """Each taxon once, in the order of the file; what names nothing is left out."""
    (tmp_path / name).write_text(content)
    table = read_taxa(tmp_path / name)
    assert [table[row].species for row in range(len(table))] == ["Danaus plexippus", "Quercus robur"]


def test_a_list_without_taxa_is_refused(tmp_path: Path) -> None:
    """One sentence with the remedy."""
    (tmp_path / "table.csv").write_text("genus,family\n,\n")
    with pytest.raises(RecordError, match="names no taxon"):
        read_taxa(tmp_path / "table.csv")


def test_the_catalogues_taxa_are_embedded_by_its_model(indexed: Path, tmp_path: Path, run: Command) -> None:
    """And `identify` chooses among them."""
    file = tmp_path / "texts.npy"
    result = run("train", "texts", file, "--format", "json")
    assert (result.code, result.json) == (0, {"file": str(file), "taxa": 2, "dim": 32}), result.err
    assert "Embedding 2 taxa" in result.err
    again = run("train", "texts", file)
    assert (again.code, "--force" in again.err) == (2, True)
    photo = next(indexed.rglob("*.jpg"))
    found = run("identify", photo, "--text-embeddings", file, "--format", "json")
    assert (found.code, "does not say" in found.err) == (0, False), found.err
    other = run("identify", photo, "--text-embeddings", file, "--model", write_model(tmp_path / "other", seed=1))
    assert (other.code, "train texts" in other.err, other.out) == (2, True, "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOCLIP_SEARCH_CATALOGUE", str(tmp_path / "none"))
        nameless = run("identify", photo, "--text-embeddings", file)
    assert (nameless.code, "say with --model where its folder is" in nameless.err) == (2, True)
    file.with_suffix(".model.json").unlink()
    published = run("identify", photo, "--text-embeddings", file, "--format", "json")
    assert (published.code, published.json) == (0, found.json)
    assert "does not say of which model it is" in published.err
