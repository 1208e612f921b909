"""Replay: two losses that do not know each other, one tower, and a projection that stays behind."""

import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from shard_writer import write_shards
from small_run import changed, lines, losses, small_recipe, train, weights
from torch.nn import functional

from bioclip_search.embedder import Embedder
from bioclip_search.errors import UsageError
from bioclip_search.taxonomy import Taxon, TextType
from training.checkpoint import load_checkpoint, written_checkpoints
from training.data import Captions, Draw
from training.distributed import world
from training.export import export_model
from training.feed import open_feed
from training.initial import initial_model
from training.metrics import Silence
from training.replay import ReplayReader, left_or_right, widen
from training.run_recipe import RunRecipe, load_run_recipe
from training.shards.reading import Sample
from training.state import TrainerState, first_state
from training.step import train_step

REPLAY = """
[replay]
batch_size = 8
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> RunRecipe:
    folder = tmp_path_factory.mktemp("replay")
    other = write_shards(folder / "other", (9, 12), captions=True)
    return small_recipe(folder, write_shards(folder / "shards"), REPLAY).replaying(other)


def stepped(recipe: RunRecipe, index: Path) -> tuple[TrainerState, dict[str, torch.Tensor], list[torch.Tensor]]:
    """The state after one step without a rate, the gradient of each parameter, and what was seen."""
    with world("cpu") as here:
        initial = initial_model(recipe)
        feed = open_feed(recipe, index, here, Silence())
        state = first_state(recipe, initial, feed.folders, here)
        batch, replayed, _ = next(feed.batches(initial, state.positions, 0, here))
        assert replayed is not None
        done = train_step(state, batch, replayed, 0.0)
        assert min(done) > 0
        gradients = {name: one.grad.clone() for name, one in state.model.named_parameters() if one.grad is not None}
        feed.close()
    return state, gradients, [batch.pixels, batch.tokens, replayed.pixels, replayed.tokens]


@pytest.mark.parametrize("micro_batch", [None, 5])
def test_the_gradients_of_the_two_losses_add_up(tmp_path: Path, recipe: RunRecipe, micro_batch: int | None) -> None:
    """As of two plain models with one projection each, sharing all else: no negatives of the other kind."""
    recipe = changed(recipe, training={"micro_batch": micro_batch})
    _, found, (pixels, tokens, other_pixels, other_tokens) = stepped(recipe, tmp_path)
    expected: dict[str, torch.Tensor] = {}
    halves = []
    normalise = open_clip.image_transform(32, is_train=False).transforms[-1]
    for images, texts in ((pixels, tokens), (other_pixels, other_tokens)):
        model = initial_model(recipe).model.train()
        open_clip.ClipLoss()(*model(normalise(images / 255), texts)).backward()
        for name, one in model.named_parameters():
            if one.grad is not None:
                expected[name] = expected.get(name, 0) + one.grad
        halves.append(model.visual.proj.grad)
    expected["visual.proj"] = torch.cat(halves, dim=1)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-4, atol=1e-5), name


def test_the_trained_model_goes_without_the_projection(tmp_path: Path, recipe: RunRecipe) -> None:
    """The checkpoint is a plain model, whose features are those of the left half, mean weights too."""
    averaged = changed(recipe, schedule={"steps": 3, "warmup": 1}, training={"ema_decay": 0.5})
    folder = train(averaged, tmp_path).checkpoint
    written = weights(folder)
    plain = initial_model(recipe).model.state_dict()
    assert {name: one.shape for name, one in written.items()} == {name: one.shape for name, one in plain.items()}
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    image = Embedder.load(str(folder), device="cpu", dtype="float32").encode_pixels(picture)
    with world("cpu") as here:
        state = first_state(
            averaged, initial_model(averaged), open_feed(averaged, tmp_path / "index", here, Silence()).folders, here
        )
        state.load(folder)
        assert state.model.visual.proj.shape == (64, 64)
        normalise = open_clip.image_transform(32, is_train=False).transforms[-1]
        with torch.no_grad():
            pixels = normalise(torch.from_numpy(picture).permute(0, 3, 1, 2) / 255)
            both = state.model.eval()(pixels, None)["image_features"]
    assert image == pytest.approx(left_or_right(both, replayed=False).numpy(), abs=1e-5)
    assert np.abs(image - left_or_right(both, replayed=True).numpy()).max() > 1e-3
    replay = load_checkpoint(folder).replay
    assert {name: tuple(one.shape) for name, one in replay.items()} == {
        "visual.proj": (64, 32),
        "ema/visual.proj": (64, 32),
    }


def test_a_run_with_replay_goes_on_exactly(tmp_path: Path, recipe: RunRecipe) -> None:
    """Both places in the data, both projections; the losses are told apart."""
    short = changed(recipe, schedule={"steps": 8}, checkpoint={"every": 3})
    train(short, tmp_path / "whole")
    told = lines(tmp_path / "whole")
    assert all(line["replay_loss"] > 0 for line in told)
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    (tmp_path / "run" / "checkpoints" / "step-00000008").rename(tmp_path / "away")
    train(short, tmp_path / "run", resume=True)
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    assert [line["replay_loss"] for line in lines(tmp_path / "run")] == [line["replay_loss"] for line in told]
    last = [load_checkpoint(written_checkpoints(tmp_path / run / "checkpoints")[-1]) for run in ("whole", "run")]
    assert torch.equal(last[0].replay["visual.proj"], last[1].replay["visual.proj"])


def test_a_run_with_replay_is_exported(tmp_path: Path, recipe: RunRecipe) -> None:
    """Both folders of shards are on the card, without their paths; the second projection stays behind."""
    short = changed(recipe, schedule={"steps": 1, "warmup": 0})
    folder = export_model(train(short, tmp_path / "run").checkpoint, tmp_path / "model").folder
    card = (folder / "README.md").read_text()
    assert "- other, split train: " in card
    assert short.replay is not None
    assert str(Path(str(short.replay.path)).parent) not in card
    assert not (folder / "replay.safetensors").exists()


def test_both_halves_begin_alike(recipe: RunRecipe) -> None:
    """The second projection is a copy of the first; a tower without a plain one is refused."""
    model = initial_model(recipe).model
    before = model.visual.proj.detach().clone()
    widen(model)
    assert torch.equal(model.visual.proj, torch.cat([before, before], dim=1))
    model.visual.proj = None
    with pytest.raises(UsageError, match="vision transformer"):
        widen(model)


def test_both_halves_have_unit_length() -> None:
    """Each by itself."""
    rows = functional.normalize(torch.randn(4, 6), dim=1)
    left = left_or_right(rows, replayed=False)
    assert torch.allclose(left, functional.normalize(rows[:, :3], dim=1))
    assert torch.allclose(left_or_right(rows, replayed=True).norm(dim=1), torch.ones(4))


def test_photos_to_replay_must_be_named(tmp_path: Path) -> None:
    """By --replay or the recipe; one that does not replay takes none."""
    recipe = small_recipe(tmp_path, write_shards(tmp_path / "shards"), REPLAY)
    with pytest.raises(UsageError, match="--replay"):
        train(recipe, tmp_path / "run")
    with pytest.raises(UsageError, match=r"no part \[replay\]"):
        load_run_recipe("bioclip").replaying(tmp_path)
    published = load_run_recipe("bioclip-2")
    assert published.replay is not None
    assert (published.training.batch_size, published.replay.batch_size) == (90112, 10240)


def test_a_replayed_caption_stays_as_it_is() -> None:
    """One of the sample's own, drawn for each row; else the common name, without a template."""
    reader = ReplayReader([], Captions((TextType.SCIENTIFIC,), False, "a photo of {}.", 0), list, 32, (0.9, 1.0))
    own = Sample(Taxon(), captions=("A red car; by the Sea", "a car"))
    drawn = {reader._caption(own, Draw(0, row, 0, 0)) for row in range(20)}
    assert drawn == set(own.captions)
    taxon = Taxon(common_name="A red car; by the Sea")
    assert reader._caption(Sample(taxon), Draw(0, 0, 0, 0)) == "A red car; by the Sea"
