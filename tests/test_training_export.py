"""Trained models as folders: the same features, all that decides about them written, nothing half done."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from helpers import Command
from PIL import Image
from safetensors.torch import load_file, save_file
from shard_writer import write_shards

from bioclip_search.embedder import Embedder
from bioclip_search.errors import InvalidModel, UsageError
from bioclip_search.models import locate_model
from bioclip_search.preprocessing import CLIP_MEAN, CLIP_STD
from training.export import best_checkpoint, export_model, newest_checkpoint
from training.loop import run_training
from training.metrics import Silence
from training.run_recipe import load_run_recipe

RECIPE = """
[model.config]
embed_dim = 32
quick_gelu = true
vision_cfg = { image_size = 32, layers = 1, width = 32, patch_size = 8, head_width = 16 }
text_cfg = { context_length = 24, vocab_size = 49408, width = 16, heads = 2, layers = 1 }
[data]
workers = 0
[optimizer]
lr = 1e-2
[schedule]
steps = 6
[training]
batch_size = 16
ema_decay = 0.5
[checkpoint]
every = 3
[evaluation]
every = 3
"""
TEXTS = ["a photo of Genus3 albus.", "a photo of white 5."]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps with two checkpoints and means of the weights; its split val is its split train."""
    folder = tmp_path_factory.mktemp("trained")
    shards = write_shards(folder / "shards")
    manifest = json.loads((shards / "manifest.json").read_text())
    manifest["splits"]["val"] = manifest["splits"]["train"]
    (shards / "manifest.json").write_text(json.dumps(manifest))
    (folder / "recipe.toml").write_text(RECIPE)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run_training(load_run_recipe(folder / "recipe.toml").on_shards([shards]), folder / "run", Silence(), device="cpu")
    torch.set_num_threads(before)
    return folder / "run"


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the last checkpoint, to be spoilt."""
    return shutil.copytree(newest_checkpoint(trained), tmp_path / "copied")


def pictures() -> list[Image.Image]:
    patches = np.random.default_rng(1).integers(0, 256, (2, 50, 70, 3), dtype=np.uint8)
    return [Image.fromarray(patch) for patch in patches]


def features(folder: Path) -> np.ndarray:
    embedder = Embedder.load(str(folder), device="cpu", dtype="float32")
    return np.concatenate([embedder.encode_texts(TEXTS), embedder.encode_images(pictures())])


def test_features_are_those_of_the_trained_weights(trained: Path, tmp_path: Path) -> None:
    """The checkpoint's weights in the recipe's own model, computed step by step, give what --model FOLDER gives."""
    checkpoint = newest_checkpoint(trained)
    exported = export_model(checkpoint, tmp_path / "model")
    model_cfg = json.loads((checkpoint / "state.json").read_text())["recipe"]["model"]["config"]
    model = open_clip.CLIP(**model_cfg).eval()
    model.load_state_dict(load_file(checkpoint / "open_clip_model.safetensors"))
    squashed = [np.asarray(one.resize((32, 32), Image.Resampling.BICUBIC), np.float32) / 255 for one in pictures()]
    scaled = (np.stack(squashed) - np.float32(CLIP_MEAN)) / np.float32(CLIP_STD)
    with torch.no_grad():
        texts = model.encode_text(open_clip.SimpleTokenizer(context_length=24)(TEXTS), normalize=True)
        images = model.encode_image(torch.from_numpy(scaled.transpose(0, 3, 1, 2).copy()), normalize=True)
    expected = torch.cat([texts, images]).numpy()
    assert features(exported.folder) == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(features(exported.folder), features(checkpoint))
    assert exported.bytes == sum(file.stat().st_size for file in exported.folder.iterdir())


def test_the_configuration_says_all_that_decides_about_features(trained: Path, tmp_path: Path) -> None:
    """Activation, mean, standard deviation, interpolation, squash; weights are safetensors and anyone may read them."""
    folder = export_model(newest_checkpoint(trained), tmp_path / "model").folder
    config = json.loads((folder / "open_clip_config.json").read_text())
    assert config["model_cfg"]["quick_gelu"] is True
    assert config["preprocess_cfg"] == {
        "mean": list(CLIP_MEAN),
        "std": list(CLIP_STD),
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    assert {file.name for file in folder.iterdir()} == {
        "README.md",
        "open_clip_config.json",
        "open_clip_model.safetensors",
    }
    assert all(file.stat().st_mode & 0o444 == 0o444 for file in folder.iterdir())


def test_an_activation_that_went_without_saying_is_said(copied: Path, tmp_path: Path) -> None:
    """A configuration without quick_gelu means GELU, and is exported so."""
    config = json.loads((copied / "open_clip_config.json").read_text())
    del config["model_cfg"]["quick_gelu"]
    (copied / "open_clip_config.json").write_text(json.dumps(config))
    folder = export_model(copied, tmp_path / "model").folder
    assert json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]["quick_gelu"] is False


def test_a_run_gives_its_newest_checkpoint_and_a_checkpoint_itself(trained: Path, tmp_path: Path, run: Command) -> None:
    """By the command line, where the step is told."""
    newest = run("train", "export", trained, "--output", tmp_path / "a", "--format", "json")
    assert (newest.code, newest.json["step"]) == (0, 6), newest.err
    older = trained / "checkpoints" / "step-00000003"
    assert "Step 3" in run("train", "export", older, "--output", tmp_path / "b").out
    assert not np.array_equal(features(tmp_path / "a"), features(tmp_path / "b"))
    assert run("train", "export", tmp_path, "--output", tmp_path / "c").code == 2


def test_the_mean_of_the_weights_is_exported_on_demand(trained: Path, copied: Path, tmp_path: Path) -> None:
    """--ema gives the features of the means; where there are none it is refused."""
    folder = export_model(copied, tmp_path / "model", ema=True).folder
    assert np.array_equal(features(folder), features(newest_checkpoint(trained) / "ema"))
    assert not np.array_equal(features(folder), features(copied))
    assert "running mean" in (folder / "README.md").read_text()
    shutil.rmtree(copied / "ema")
    with pytest.raises(UsageError, match="leave --ema out"):
        export_model(copied, tmp_path / "other", ema=True)


def test_a_run_is_no_model_but_its_checkpoints_are(trained: Path) -> None:
    """Who names the run is told the newest of them."""
    with pytest.raises(InvalidModel, match=rf"such as {newest_checkpoint(trained)}\.$"):
        locate_model(str(trained))


def test_the_best_checkpoint_is_that_of_the_validation(trained: Path, tmp_path: Path, run: Command) -> None:
    """As the run noted it; a run that did not evaluate has none."""
    best = json.loads((trained / "best.json").read_text())
    assert best_checkpoint(trained) == trained / best["checkpoint"]
    result = run("train", "export", trained, "--best", "--output", tmp_path / "model", "--format", "json")
    assert result.json["step"] == best["step"]
    for not_evaluated in (tmp_path, best_checkpoint(trained)):
        refused = run("train", "export", not_evaluated, "--best", "--output", tmp_path / "other")
        assert (refused.code, "--best" in refused.err) == (2, True)


def test_numbers_can_be_halved(trained: Path, tmp_path: Path) -> None:
    """float16 takes half the room and changes features by its rounding only."""
    checkpoint = newest_checkpoint(trained)
    whole = export_model(checkpoint, tmp_path / "whole").bytes
    half = export_model(checkpoint, tmp_path / "half", numbers="float16")
    assert half.bytes < 0.6 * whole
    assert features(half.folder) == pytest.approx(features(checkpoint), abs=5e-3)
    assert "float16 weights" in (half.folder / "README.md").read_text()


def test_only_files_of_a_model_are_copied(copied: Path, tmp_path: Path) -> None:
    """A tokenizer's files go along; others do not, nor what a link leads to."""
    (tmp_path / "private.txt").write_text("mine")
    (copied / "vocab.txt").symlink_to(tmp_path / "private.txt")
    (copied / "notes.txt").write_text("mine too")
    (copied / "merges.txt").write_text("a b")
    folder = export_model(copied, tmp_path / "model").folder
    assert sorted(file.name for file in folder.glob("*.txt")) == ["merges.txt"]


def test_the_card_tells_the_number_of_most_weights(copied: Path, tmp_path: Path) -> None:
    """Not that of a scale that was kept finer."""
    file = copied / "open_clip_model.safetensors"
    save_file({name: one.bfloat16() if one.ndim else one for name, one in load_file(file).items()}, file)
    card = (export_model(copied, tmp_path / "model").folder / "README.md").read_text()
    assert "bfloat16 weights" in card


def test_the_card_says_data_recipe_and_what_was_not_measured(trained: Path, tmp_path: Path, run: Command) -> None:
    """The manifest's digest and counts, the recipe without anybody's paths, and the measurements if there are any."""
    import hashlib

    digest = hashlib.sha256((trained.parent / "shards" / "manifest.json").read_bytes()).hexdigest()
    card = (export_model(newest_checkpoint(trained), tmp_path / "model").folder / "README.md").read_text()
    assert digest in card
    assert "64 photos of 24 taxa" in card
    assert "6 steps of 16 photos, 96 in all" in card
    assert '"ema_decay": 0.5' in card
    assert "null" not in card
    assert "QuickGELU" in card
    assert "Nothing was measured" in card
    assert str(trained.parent) not in card
    (tmp_path / "report.md").write_text("| species | 0.9 |")
    result = run("train", "export", trained, "--output", tmp_path / "other", "--measured", tmp_path / "report.md")
    assert result.code == 0, result.err
    card = (tmp_path / "other" / "README.md").read_text()
    assert "| species | 0.9 |" in card
    assert "Nothing was measured" not in card


_REPORT = """# Evaluation of my model

![Reliability](reliability.png)
![elsewhere](../secret.png) ![gone](gone.png) ![text](report.md) ![web](https://example.org/a.png)

## Zero-shot

```
# no heading
```
"""


def test_measurements_fit_into_the_card(trained: Path, tmp_path: Path, run: Command) -> None:
    """Headings go below the card's, pictures beside it; links to what is not there become words."""
    (tmp_path / "eval").mkdir()
    for name in ("eval/reliability.png", "secret.png"):
        pictures()[0].save(tmp_path / name)
    (tmp_path / "eval" / "report.md").write_text(_REPORT)
    result = run("train", "export", trained, "--output", tmp_path / "m", "--measured", tmp_path / "eval" / "report.md")
    assert result.code == 0, result.err
    card = (tmp_path / "m" / "README.md").read_text()
    headings = [line for line in card.split("```\n# no heading")[0].splitlines() if line.startswith("#")]
    assert [line for line in headings if line.startswith("# ")] == ["# A model trained with bioclip-search"]
    assert "### Evaluation of my model\n\n![Reliability](reliability.png)" in card
    assert "\nelsewhere gone text ![web](https://example.org/a.png)\n\n#### Zero-shot" in card
    assert "```\n# no heading\n```" in card
    assert {file.suffix for file in (tmp_path / "m").iterdir()} == {".md", ".json", ".safetensors", ".png"}
    assert (tmp_path / "m" / "reliability.png").read_bytes() == (tmp_path / "eval" / "reliability.png").read_bytes()


def test_measurements_that_cannot_be_read_are_one_sentence(trained: Path, tmp_path: Path, run: Command) -> None:
    """A file that is not there, or no text; nothing is written."""
    (tmp_path / "report.md").write_bytes(b"\xff\xfe")
    for name, reason in (("report.md", "not text in UTF-8"), ("gone.md", "No such file")):
        result = run("train", "export", trained, "--output", tmp_path / "model", "--measured", tmp_path / name)
        assert (result.code, reason in result.err) == (2, True)
    assert not (tmp_path / "model").exists()


def test_a_card_does_not_vouch_for_shards_that_are_gone(copied: Path, tmp_path: Path) -> None:
    """The digest is told; counts are not made up."""
    state = json.loads((copied / "state.json").read_text())
    state["recipe"]["data"]["shards"][0]["path"] = str(tmp_path / "gone")
    (copied / "state.json").write_text(json.dumps(state))
    card = (export_model(copied, tmp_path / "model").folder / "README.md").read_text()
    assert state["shards"][0] in card
    assert "not at hand" in card


def test_metrics_that_broke_off_still_tell_the_loss(trained: Path, tmp_path: Path) -> None:
    """Half a last line, steps after the checkpoint and losses that are no number are left out."""
    run = shutil.copytree(trained, tmp_path / "run")
    losses = (2.0, "null", '"low"', 3.0)
    written = [f'{{"step": {step}, "loss": {loss}}}\n' for step, loss in enumerate(losses, start=1)]
    (run / "metrics.jsonl").write_text("".join(written) + '{"step": 7, "loss": 9.0}\n{"step": 5, "lo')
    card = (export_model(newest_checkpoint(run), tmp_path / "model").folder / "README.md").read_text()
    assert "Mean loss of the last steps: 2.500." in card


def test_nothing_is_overwritten_unasked(trained: Path, tmp_path: Path, run: Command) -> None:
    """A model only with --force, anything else never."""
    target = tmp_path / "model"
    assert run("train", "export", trained, "--output", target).code == 0
    (target / "mark").touch()
    refused = run("train", "export", trained, "--output", target)
    assert refused.code == 2
    assert "--force" in refused.err
    assert (target / "mark").exists()
    assert run("train", "export", trained, "--output", target, "--force").code == 0
    assert not (target / "mark").exists()
    other = tmp_path / "photos"
    other.mkdir()
    (other / "mine.jpg").touch()
    for taken in (other, newest_checkpoint(trained)):
        assert run("train", "export", trained, "--output", taken, "--force").code == 2
    assert (other / "mine.jpg").exists()


@pytest.mark.parametrize("fault", ["cut", "shape", "nan", "state", "config"])
def test_a_bad_checkpoint_is_one_sentence_and_leaves_nothing(copied: Path, tmp_path: Path, fault: str) -> None:
    """Cut-off weights, weights of another model, weights gone astray, no state, no configuration."""
    weights = copied / "open_clip_model.safetensors"
    tensors = load_file(weights)
    match fault:
        case "cut":
            weights.write_bytes(weights.read_bytes()[:1000])
        case "shape":
            save_file(tensors | {"visual.proj": torch.zeros(3, 3)}, weights)
        case "nan":
            save_file(tensors | {"visual.proj": torch.full_like(tensors["visual.proj"], torch.nan)}, weights)
        case "state":
            (copied / "state.json").write_text('{"format": 1}')
        case "config":
            (copied / "open_clip_config.json").write_text('{"model_cfg": 1}')
    with pytest.raises((UsageError, InvalidModel)) as told:
        export_model(copied, tmp_path / "model")
    assert str(copied) in str(told.value)
    assert "\n" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["copied"]
