"""Painted specimens, the built-in model and the demo: everything offline."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from helpers import Command
from PIL import Image

from bioclip_search.demo.brush import Brush
from bioclip_search.demo.collection import write_collection
from bioclip_search.demo.species import AnySpecies, Style
from bioclip_search.demo.specimens import SPECIES, paint
from bioclip_search.embedder import Embedder
from bioclip_search.taxonomy import RANKS


def by_name(species: AnySpecies) -> str:
    return species.taxon.species or ""


def test_there_are_at_least_48_complete_species_over_six_body_plans() -> None:
    """Every species has its seven ranks, a common name of its own and some descriptions."""
    assert len({by_name(species) for species in SPECIES}) == len(SPECIES) >= 48
    assert len({species.taxon.common_name for species in SPECIES}) == len(SPECIES)
    assert len({species.plan.name for species in SPECIES}) >= 6
    for species in SPECIES:
        assert all(species.taxon.name_at(rank) for rank in RANKS)
        assert len(species.phrases) >= 2
        assert (species.taxon.species or "").startswith(species.taxon.genus or "?")


@pytest.mark.parametrize("species", SPECIES, ids=by_name)
def test_every_species_is_painted_in_each_of_its_styles(species: AnySpecies) -> None:
    """The specimen stands out from its background and fills a fair part of its layer."""
    brush = Brush.on_blank(96)
    species.plan.paint(brush, species.traits, np.random.default_rng(0))
    covered = np.asarray(brush.picture().getchannel("A")) > 128
    assert 0.03 < covered.mean() < 0.9
    for style in species.plan.styles:
        painted = paint(species, 3, style, scale=0.3)
        assert (painted.picture.mode, painted.style) == ("RGB", style)


def test_the_same_seed_paints_the_same_pixels_and_another_seed_does_not() -> None:
    """Painting is a function of species and seed alone."""

    def digest(seed: int) -> str:
        return hashlib.sha256(paint(SPECIES[0], seed).picture.tobytes()).hexdigest()

    assert digest(1) == digest(1) != digest(2)


def test_a_collection_is_photos_and_records_that_name_them(tmp_path: Path) -> None:
    """Every record's associatedMedia is a photo, and the same seed writes the same files."""
    tables = [write_collection(tmp_path / name, 70) for name in ("a", "b")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    with tables[0].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    files = {path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*.jpg")}
    assert {row["associatedMedia"] for row in rows} == files
    assert len(files) == len({row["catalogNumber"] for row in rows}) == 70
    assert all(row["catalogNumber"] in row["associatedMedia"] for row in rows)
    assert {row["scientificName"] for row in rows} == set(map(by_name, SPECIES))


@pytest.fixture(scope="module")
def builtin() -> Embedder:
    """The model that ships with the package."""
    return Embedder.load("builtin", device="cpu", dtype="float32")


def fresh_photos(seed: int, rounds: int) -> list[Image.Image]:
    """Specimens of all species in turn, of seeds that training did not use."""
    return [paint(SPECIES[n % len(SPECIES)], seed + n, scale=0.5).picture for n in range(rounds * len(SPECIES))]


def test_the_builtin_model_names_fresh_specimens(builtin: Embedder) -> None:
    """Zero-shot by the taxon's own text: at least eight in ten right, over all species."""
    images = builtin.encode_images(fresh_photos(30_000_000, 3))
    names = builtin.encode_texts([f"a photo of {by_name(species)}." for species in SPECIES])
    truth = np.arange(len(images)) % len(SPECIES)
    assert ((images @ names.T).argmax(axis=1) == truth).mean() >= 0.80


@pytest.mark.parametrize(
    ("words", "species"),
    [
        ("orange butterfly with black veins", "Danaus plexippus"),
        ("red mushroom with white warts", "Amanita muscaria"),
        ("red beetle with seven black spots", "Coccinella septempunctata"),
        ("fan-shaped leaf", "Ginkgo biloba"),
    ],
)
def test_the_builtin_model_finds_what_words_describe(builtin: Embedder, words: str, species: str) -> None:
    """The best hit among fresh specimens of all species is the one described."""
    images = builtin.encode_images(fresh_photos(31_000_000, 1))
    best = int((images @ builtin.encode_texts([f"a photo of {words}."])[0]).argmax())
    assert by_name(SPECIES[best]) == species


def test_the_model_and_its_card_are_small_and_complete() -> None:
    """Weights, configuration and card ship in the package, under 25 MB."""
    import bioclip_search.demo

    folder = Path(bioclip_search.demo.__file__).parent / "builtin"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 25_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Not for science" in card
    assert "python -m training.builtin" in card


def test_the_demo_paints_indexes_and_searches(tmp_path: Path, run: Command) -> None:
    """One command ends with hits by words and by photo; run again, it uses what is there."""
    result = run("demo", tmp_path / "demo", "--count", 126, "--format", "json")
    assert result.code == 0, result.err
    by_words, by_photo = result.json["searches"]
    assert by_words["hits"][0]["species"] == "Danaus plexippus"
    assert by_photo["hits"][0]["path"] == by_photo["image"]
    again = run("demo", tmp_path / "demo", "--count", 126)
    assert "126 unchanged" in again.out
    assert "Try next" in again.out
    assert f'bioclip-search browse --catalogue "{tmp_path / "demo" / "catalogue"}"' in again.out
    (tmp_path / "demo" / "photos" / by_photo["image"]).unlink()
    assert "126 unchanged" in run("demo", tmp_path / "demo", "--count", 126).out  # painted anew, as it was
    assert run("demo", tmp_path / "demo", "--count", 5).code == 2


def test_the_demo_names_the_program_as_it_can_be_called(
    tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be tried next can be copied from an environment that is not activated, too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [".venv/bin/bioclip-search", "demo"])
    assert "\n  .venv/bin/bioclip-search taxa" in run("demo", tmp_path / "demo", "--count", "2").out
    (tmp_path / "bioclip-search").touch(0o755)
    assert "\n  bioclip-search taxa" in run("demo", tmp_path / "demo", "--count", "2").out


def test_the_demo_does_not_paint_into_a_folder_with_other_things(tmp_path: Path, run: Command) -> None:
    """Somebody's photos are not mixed with painted ones."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").touch()
    result = run("demo", tmp_path)
    assert result.code == 2
    assert "holds other files" in result.err


def test_styles_are_those_of_museums() -> None:
    """Pinned insects, herbarium sheets, trays and field photos all occur."""
    assert {style for species in SPECIES for style in species.plan.styles} == set(Style)
