"""How the built-in model comes about: true captions, painted specimens, unseen species, words that say nothing."""

import csv
import io
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from bioclip_search.demo.species import Style
from bioclip_search.demo.specimens import SPECIES
from bioclip_search.embedder import Embedder
from bioclip_search.taxonomy import RANKS, TextType
from training.builtin_card import card_words
from training.builtin_measure import Measured, measure
from training.captions import Captioner
from training.evaluation.photos import of_shards
from training.painted import Painted, paint_collection
from training.shards import read_manifest
from training.shards.picture import Shape
from training.shards.plan import Dealt
from training.shards.run import ShardOptions, write_shards
from training.shards.species import species_key
from training.shards.table import TableSource
from training.shards.write import Form
from training.unseen_species import UNSEEN_SPECIES
from training.words import neutralise_unseen_tokens

CAPTIONER = Captioner(SPECIES, open_clip.OPENAI_IMAGENET_TEMPLATES)
FEW = Painted(each=3, each_unseen=6, first_seed=7, scales=(0.15,))


class Quiet:
    """An observer of shards that takes no notice."""

    def planned(self, photos: int) -> None: ...

    def begin(self, total: int) -> None: ...

    def advance(self, photos: int) -> None: ...

    def problem(self, problem: object) -> None:
        pytest.fail(str(problem))


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a few painted specimens of every species."""
    folder = tmp_path_factory.mktemp("painted")
    paint_collection(folder, FEW, CAPTIONER, workers=1, progress=lambda _: None)
    return folder


@pytest.fixture(scope="module")
def shards(painted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their shards, with the splits that the built-in model has."""
    unseen = frozenset(species_key(species.taxon.species or "") for species in UNSEEN_SPECIES)
    options = ShardOptions(tmp_path_factory.mktemp("shards"), Dealt(val=0.34, unseen=unseen), Form(Shape(32)))
    write_shards(TableSource(painted / "records.csv"), options, Quiet())
    return options.folder


def test_captions_are_of_many_kinds_and_true() -> None:
    """Names, wider taxa, descriptions; a style is only claimed of its own photos; the generator decides."""
    texts = set()
    for number, species in enumerate(SPECIES):
        for style in species.plan.styles:
            rng = np.random.default_rng(number)
            drawn = [CAPTIONER.draw(number, style, rng) for _ in range(20)]
            again = np.random.default_rng(number)
            assert drawn == [CAPTIONER.draw(number, style, again) for _ in range(20)]
            if style is not Style.SHEET:
                assert not any("herbarium" in text for text in drawn)
            others = {one.taxon.species for one in SPECIES} - {species.taxon.species}
            assert not any(str(other) in text for other in others for text in drawn)
            texts.update(drawn)
    assert any("Danaus plexippus with common name monarch" in text for text in texts)
    assert any("Lepidoptera" in text and "Danaus" not in text for text in texts)
    assert any("orange butterfly with black veins" in text for text in texts)
    assert any("herbarium sheet" in text for text in texts)
    assert len(texts) > 1000


def test_unseen_species_are_whole_and_none_of_the_demo() -> None:
    """Their names, scientific and common, occur in no caption that training could draw."""
    assert len({species.taxon.species for species in UNSEEN_SPECIES}) == len(UNSEEN_SPECIES) >= 18
    for species in UNSEEN_SPECIES:
        assert all(species.taxon.name_at(rank) for rank in RANKS)
        assert (species.taxon.species or "").startswith(species.taxon.genus or "?")
        assert species.taxon.species not in {one.taxon.species for one in SPECIES}
        assert species.taxon.common_name not in {one.taxon.common_name for one in SPECIES}


def test_a_collection_is_painted_once(painted: Path, tmp_path: Path) -> None:
    """Every specimen has its photo and captions (unseen ones none); painted again, nothing changes."""
    with (painted / "records.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * len(SPECIES) + 6 * len(UNSEEN_SPECIES)
    assert {row["associatedMedia"] for row in rows} == {f"photos/{path.name}" for path in painted.glob("photos/*")}
    unseen = {species.taxon.species for species in UNSEEN_SPECIES}
    assert all((row["species"] in unseen) == (row["captions"] == "") for row in rows)
    before = {path: path.stat().st_mtime_ns for path in painted.rglob("*.*")}
    counted: list[int] = []
    paint_collection(painted, FEW, CAPTIONER, workers=1, progress=counted.append)
    assert {path: path.stat().st_mtime_ns for path in painted.rglob("*.*")} == before
    assert sum(counted) == len(rows)


def test_unseen_species_are_in_no_shard_to_train_on(shards: Path, tmp_path: Path) -> None:
    """Nor are the specimens of the split val in the split train."""
    splits = read_manifest(shards).splits
    assert splits["unseen"].taxa == len(UNSEEN_SPECIES)
    found = {name: [one.taxon.species for one in of_shards(shards, name, tmp_path, print).photos] for name in splits}
    unseen = {species.taxon.species for species in UNSEEN_SPECIES}
    assert set(found["unseen"]) == unseen
    assert not unseen & {*found["train"], *found["val"]}
    assert set(found["val"]) == {species.taxon.species for species in SPECIES}


@pytest.fixture(scope="module")
def measured(small_model: Path, shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """What a model with random weights can do."""
    return measure(small_model, shards, tmp_path_factory.mktemp("index"))


def test_zero_shot_is_measured_on_the_split_val(
    measured: Measured, small_model: Path, shards: Path, tmp_path: Path
) -> None:
    """The accuracy, computed again photo by photo."""
    embedder = Embedder.load(str(small_model), device="cpu", dtype="float32")
    photos = of_shards(shards, "val", tmp_path, print).photos
    names = sorted({photo.taxon.species or "" for photo in photos})
    classes = embedder.encode_names(names)
    right = []
    for photo in photos:
        with Image.open(io.BytesIO(photo.read())) as picture:
            found = (embedder.encode_images([picture.convert("RGB")]) @ classes.T).argmax()
        right.append(names[found] == photo.taxon.species)
    assert measured.zero_shot[TextType.SCIENTIFIC].top1 == pytest.approx(np.mean(right), abs=1.5 / len(right))
    assert (measured.few_shot[1].species, measured.few_shot[5].species) == (len(UNSEEN_SPECIES),) * 2


def test_the_card_has_every_figure_and_claims_no_photographs(measured: Measured) -> None:
    """Ranks, shots, minutes, and what was not measured."""
    words = card_words(measured, 786, {"painting": 300, "training": 900})
    card = f"{words.about}\n{words.measured}"
    assert "Not for science" in card
    assert "python -m training.builtin" in card
    assert "20 minutes" in card
    assert all(rank.value in card for rank in RANKS)
    assert f"{measured.few_shot[5].mean:.3f} ± {measured.few_shot[5].std:.3f}" in card
    assert "nothing was measured on photographs" in card


def test_words_that_were_never_trained_say_nothing(tmp_path: Path) -> None:
    """All unseen tokens share one embedding: the mean of the seen."""
    tokenizer = open_clip.SimpleTokenizer(context_length=77)
    before = torch.randn(49408, 8, generator=torch.Generator().manual_seed(0))
    weights = before.clone()
    seen = neutralise_unseen_tokens(weights, ["oak", "wasp"], tokenizer)
    kept = torch.unique(tokenizer(["oak", "wasp"]))
    assert seen == len(kept)
    assert torch.equal(weights[kept], before[kept])
    unknown = tokenizer(["zebra"])[0, 1]
    assert torch.allclose(weights[unknown], weights[kept].mean(dim=0), atol=1e-6)
