"""The training loop: what it learns, what it writes, and that stopping anywhere changes nothing."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from click.testing import CliRunner
from shard_writer import write_shards
from small_run import MODEL, REST, changed, lines, losses, train, weights

from bioclip_search.cli.train_run import command
from bioclip_search.embedder import Embedder
from bioclip_search.errors import BioclipSearchError, InvalidModel, ModelUnavailable, RecordError, UsageError
from training.checkpoint import Checkpoints, written_checkpoints
from training.distributed import world
from training.initial import initial_model
from training.metrics import Metrics
from training.run_recipe import RunRecipe, load_run_recipe
from training.schedule import share_of_rate
from training.shard_index import open_folder
from training.state import first_state
from training.stopping import stop_noted


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Small matrices are slower by several threads; the order of sums stays the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, shards: Path) -> RunRecipe:
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_text(MODEL + REST)
    return load_run_recipe(path).on_shards([shards])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, recipe: RunRecipe) -> Path:
    """The folder of an uninterrupted run of twenty steps."""
    out = tmp_path_factory.mktemp("whole")
    report = train(recipe, out)
    assert (report.step, report.steps, report.stopped_by) == (20, 20, 0)
    return out


def test_the_loss_falls_and_the_metrics_tell(whole: Path, recipe: RunRecipe) -> None:
    """One line a step, with the rate that the schedule gives and the scale in its bounds."""
    found = losses(whole)
    assert np.mean(found[-5:]) < found[0] - 0.1
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert [line["lr"] for line in lines] == pytest.approx([1e-3 * share_of_rate(i, 20, 3) for i in range(20)])
    assert all(0 <= math.log(line["logit_scale"]) <= math.log(100) + 1e-6 for line in lines)
    assert all(line["samples_per_second"] > 0 <= line["data_wait"] <= 1 for line in lines)
    assert lines[-1]["epoch"] == 4


def test_only_the_last_checkpoints_stay(whole: Path) -> None:
    """Whole ones, with nothing aside."""
    assert [path.name for path in written_checkpoints(whole / "checkpoints")] == [
        "step-00000010",
        "step-00000015",
        "step-00000020",
    ]
    assert not list((whole / "checkpoints").glob("*.part"))


def test_the_losses_are_those_of_a_plain_loop(whole: Path, recipe: RunRecipe) -> None:
    """open_clip's model and loss and torch's AdamW over the same batches, written down step by step."""
    from training.data import Captions, SampleReader
    from training.loading import local_batches
    from training.plan import FolderPlan, Position
    from training.shard_samples import ShardSamples

    opened = open_folder(recipe.data.shards[0])
    torch.manual_seed(recipe.seed)
    model = open_clip.CLIP(**json.loads(json.dumps(recipe.model.config))).train()
    tokenizer = open_clip.SimpleTokenizer(context_length=24)
    reader = SampleReader(
        [ShardSamples(opened.shards, whole / "index")], Captions.of(recipe.data, 0), tokenizer, 32, (0.9, 1.0)
    )
    plan = FolderPlan((20, 16, 28), 16, (0, 0), 16)
    batches = local_batches(reader, [plan], [Position()], 0, slice(0, 16), workers=0, pin=False)
    plain = [one for name, one in model.named_parameters() if one.ndim < 2 or "logit_scale" in name]
    others = [one for name, one in model.named_parameters() if not (one.ndim < 2 or "logit_scale" in name)]
    optimizer = torch.optim.AdamW(
        [{"params": plain, "weight_decay": 0.0}, {"params": others, "weight_decay": 0.2}], betas=(0.9, 0.98), eps=1e-6
    )
    normalise = open_clip.image_transform(32, is_train=False).transforms[-1]
    expected = []
    for step in range(10):
        batch = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * ((step + 1) / 3 if step < 3 else 0.5 * (1 + math.cos(math.pi * (step - 3) / 17)))
        optimizer.zero_grad()
        loss = open_clip.ClipLoss()(*model(normalise(batch.pixels / 255), batch.tokens))
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        expected.append(float(loss.detach()))
    assert losses(whole)[:10] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("loss", ["clip", "siglip"])
def test_accumulation_equals_the_large_batch(tmp_path: Path, recipe: RunRecipe, loss: str) -> None:
    """Micro-batches of five give the losses of sixteen at once."""
    short = changed(recipe, schedule={"steps": 8}, objective={"loss": loss})
    train(short, tmp_path / "at once")
    train(changed(short, training={"micro_batch": 5}), tmp_path / "in parts")
    assert losses(tmp_path / "in parts") == pytest.approx(losses(tmp_path / "at once"), abs=1e-5)


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from training.loop import run_training
from training.metrics import Silence
from training.run_recipe import load_run_recipe

class Killer(Silence):
    done = 0
    def advance(self, photos):
        self.done += 1
        if self.done == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
recipe = load_run_recipe(sys.argv[1]).on_shards([Path(sys.argv[2])])
run_training(recipe, Path(sys.argv[3]), Killer(), device="cpu")
"""


def test_a_killed_run_goes_on_as_if_nothing_had_been(
    tmp_path: Path, recipe: RunRecipe, shards: Path, whole: Path
) -> None:
    """Killed at a random step; then the same losses as the uninterrupted run, and the same weights."""
    path, out = tmp_path / "recipe.toml", tmp_path / "run"
    path.write_text(MODEL + REST)
    step = int(np.random.default_rng().integers(1, 20))
    done = subprocess.run([sys.executable, "-c", KILLED, path, shards, out, str(step)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(losses(out)) == step
    report = train(recipe, out, resume=True)
    assert report.step == 20
    assert losses(out) == pytest.approx(losses(whole), abs=1e-6)
    before, after = weights(whole / "checkpoints" / "step-00000020"), weights(report.checkpoint)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_dropout_goes_on_exactly(tmp_path: Path, recipe: RunRecipe) -> None:
    """A model that drops patches at random drops the same ones in a run that goes on."""
    config = json.loads(json.dumps(recipe.model.config))
    config["vision_cfg"]["patch_dropout"] = 0.5
    short = changed(recipe, model={"config": config}, schedule={"steps": 4}, checkpoint={"every": 2})
    train(short, tmp_path)
    expected = losses(tmp_path)
    (tmp_path / "checkpoints" / "step-00000004").rename(tmp_path / "away")
    train(short, tmp_path, resume=True)
    assert losses(tmp_path) == expected


def test_a_second_sigterm_does_not_hinder_saving() -> None:
    """Job schedulers send several; a second Ctrl-C is somebody who will not wait."""
    with stop_noted() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop() == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_metrics_are_json_whatever_the_figures(tmp_path: Path) -> None:
    """A gradient that overflowed is null: JSON has no infinity."""
    with Metrics(tmp_path / "metrics.jsonl", 0) as metrics:
        metrics.write({"step": 1, "loss": 2.5, "grad_norm": math.inf})
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 1, "loss": 2.5, "grad_norm": null}\n'


def test_what_a_run_cannot_write_is_told(tmp_path: Path, recipe: RunRecipe) -> None:
    """The figures, and the index of its shards."""
    with pytest.raises(UsageError, match=r"metrics.jsonl cannot be written .* --resume"):
        Metrics(tmp_path / "nowhere" / "metrics.jsonl", 0)
    (tmp_path / "index").write_text("no folder")
    with pytest.raises(UsageError, match=r"index of shards in .* cannot be written"):
        train(recipe, tmp_path)


@pytest.mark.parametrize("device", ["banana", "cuda:banana", "cuda"])
def test_a_device_that_is_not_there_is_one_sentence(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read."""
    monkeypatch.setenv("LOCAL_RANK", "999")
    with pytest.raises(UsageError, match="use"), world(device):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_stops(tmp_path: Path, recipe: RunRecipe, whole: Path, number: int) -> None:
    """After the step in hand; the run then goes on from there, mean weights and all."""
    averaged = changed(recipe, training={"ema_decay": 0.7})
    train(averaged, tmp_path / "whole")
    report = train(averaged, tmp_path / "run", at=lambda step: os.kill(os.getpid(), number) if step == 7 else None)
    # Other processes are asked with the next step, whether they got a signal too.
    assert (report.step, report.stopped_by) == (8, number)
    assert report.checkpoint.name == "step-00000008"
    report = train(averaged, tmp_path / "run", resume=True)
    assert losses(tmp_path / "run") == pytest.approx(losses(whole), abs=1e-6)
    expected, found = (weights(tmp_path / run / "checkpoints" / "step-00000020" / "ema") for run in ("whole", "run"))
    assert all(torch.allclose(expected[name], found[name], atol=1e-6) for name in expected)
    assert not torch.allclose(found["visual.proj"], weights(report.checkpoint)["visual.proj"], atol=1e-6)


def test_a_finished_run_has_nothing_left_to_do(whole: Path, recipe: RunRecipe) -> None:
    """Taken up again it says so, and a second beginning is refused."""
    report = train(recipe, whole, resume=True)
    assert (report.step, report.loss) == (20, None)
    with pytest.raises(UsageError, match="--resume"):
        train(recipe, whole)


def test_another_recipe_does_not_go_on(whole: Path, recipe: RunRecipe, tmp_path: Path) -> None:
    """The keys that differ are told; those that change only the speed may."""
    with pytest.raises(UsageError, match=r"another recipe \(optimizer.lr\)"):
        train(changed(recipe, optimizer={"lr": 2e-3}), whole, resume=True)
    others = recipe.on_shards([write_shards(tmp_path / "others", (64,))])
    with pytest.raises(UsageError, match="other shards"):
        train(others, whole, resume=True)
    assert train(changed(recipe, training={"micro_batch": 4}), whole, resume=True).step == 20


def test_other_shares_do_not_go_on(tmp_path: Path, recipe: RunRecipe, shards: Path) -> None:
    """They change the batches, as the shards themselves do."""
    both = changed(recipe.on_shards([shards, write_shards(tmp_path / "other", (16,))]), schedule={"steps": 3})
    train(both, tmp_path / "run")
    first, second = both.data.shards
    uneven = changed(both, data={"shards": (replace(first, share=3.0), second)})
    with pytest.raises(UsageError, match=r"another recipe .*shares"):
        train(uneven, tmp_path / "run", resume=True)


def test_a_checkpoint_is_a_model_with_the_same_features(tmp_path: Path, recipe: RunRecipe) -> None:
    """Before it is saved and after the indexer has loaded it, the activation included."""
    with world("cpu") as here:
        initial = initial_model(changed(recipe, training={"ema_decay": 0.9}))
        state = first_state(recipe, initial, [open_folder(recipe.data.shards[0])], here)
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(state.checkpoint())
    checkpoints.finish()
    texts = ["a photo of Danaus plexippus.", "a photo of an oak."]
    with torch.no_grad():
        before = state.model.eval().encode_text(initial.tokenizer(texts), normalize=True).numpy()
        picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
        mean, std = (
            torch.tensor(one).view(1, 3, 1, 1) for one in (initial.preprocessing.mean, initial.preprocessing.std)
        )
        pixels = (torch.from_numpy(picture).permute(0, 3, 1, 2) / 255 - mean) / std
        image = state.model.encode_image(pixels, normalize=True).numpy()
    after = Embedder.load(str(checkpoints.path(0)), device="cpu", dtype="float32")
    assert after.encode_texts(texts) == pytest.approx(before, abs=1e-6)
    assert after.encode_pixels(picture) == pytest.approx(image, abs=1e-6)
    config = json.loads((checkpoints.path(0) / "open_clip_config.json").read_text())
    assert config["model_cfg"]["quick_gelu"] is True
    assert config["preprocess_cfg"]["resize_mode"] == "squash"


def test_a_damaged_checkpoint_is_told(tmp_path: Path, recipe: RunRecipe) -> None:
    """With the way back to the one before."""
    train(changed(recipe, schedule={"steps": 4}, checkpoint={"every": 2}), tmp_path)
    newest = written_checkpoints(tmp_path / "checkpoints")[-1]
    (newest / "optimizer.safetensors").write_bytes(b"cut off")
    short = changed(recipe, schedule={"steps": 4}, checkpoint={"every": 2})
    with pytest.raises(UsageError, match="delete it"):
        train(short, tmp_path, resume=True)


@pytest.mark.parametrize("precision", ["amp_bf16", "pure_bf16"])
def test_half_precision_stays_near(tmp_path: Path, recipe: RunRecipe, whole: Path, precision: str) -> None:
    """Losses within a twentieth of those in float32, with checkpointed activations as without."""
    half = changed(recipe, training={"precision": precision}, schedule={"steps": 4}, model={"grad_checkpointing": True})
    full = changed(recipe, schedule={"steps": 4})
    train(half, tmp_path / "half")
    train(full, tmp_path / "full")
    assert losses(tmp_path / "half") == pytest.approx(losses(tmp_path / "full"), rel=0.05)


def test_a_frozen_tower_stays_and_pretrained_weights_are_the_first(
    tmp_path: Path, recipe: RunRecipe, small_model: Path
) -> None:
    """Beginning with a model's folder, LiT changes the text tower alone."""
    lit = replace(
        changed(recipe, schedule={"steps": 3}),
        model=replace(recipe.model, config=None, init=str(small_model), frozen=("image",)),
    )
    after, before = weights(train(lit, tmp_path).checkpoint), weights(small_model)
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("visual."))
    assert not torch.equal(before["text_projection"], after["text_projection"])


def test_weights_of_clip_begin_siglip_with_its_own_scale(recipe: RunRecipe, small_model: Path) -> None:
    """And the bias that they lack."""
    siglip = changed(recipe, objective={"loss": "siglip"}, model={"config": None, "init": str(small_model)})
    model = initial_model(siglip).model
    assert float(model.logit_bias.detach()) == -10
    assert float(model.logit_scale.detach()) == pytest.approx(math.log(10))


@pytest.mark.parametrize(
    ("model", "error", "told"),
    [
        ({"architecture": "ViT-Z-99"}, ModelUnavailable, "no architecture “ViT-Z-99”"),
        (
            {"architecture": "ViT-B-16", "pretrained": "none"},
            ModelUnavailable,
            "no weights “none”; open_clip knows openai",
        ),
        ({"init": "nowhere"}, ModelUnavailable, "no model “nowhere”"),
        ({"config": {"embed_dim": 8}}, InvalidModel, "no configuration of a CLIP model"),
    ],
)
def test_a_model_that_cannot_be_had_is_told(
    recipe: RunRecipe, model: dict[str, Any], error: type[BioclipSearchError], told: str
) -> None:
    """By its name, with what there is."""
    with pytest.raises(error, match=told):
        initial_model(changed(recipe, model={"config": None} | model))


def test_unique_captions_and_several_folders_train(tmp_path: Path, recipe: RunRecipe, shards: Path) -> None:
    """Both ways of making batches; unique ones need as many taxa as rows."""
    short = changed(recipe, schedule={"steps": 2, "warmup": 1})
    uneven = write_shards(tmp_path / "uneven", (20,), described=dict.fromkeys(range(9), b'{"genus": "Pica"}'))
    lopsided = changed(
        short.on_shards([uneven]),
        objective={"same_taxon": "unique"},
        training={"batch_size": 4},
        schedule={"steps": None, "epochs": 3},
    )
    report = train(lopsided, tmp_path / "unique")
    # Eleven photos of as many taxa, and nine of one: a batch has three of the first, three times an epoch.
    assert (report.step, [line["epoch"] for line in lines(tmp_path / "unique")]) == (9, [0, 0, 0, 1, 1, 1, 2, 2, 2])
    other = write_shards(tmp_path / "other", (9,), taxa=3)
    train(changed(short.on_shards([shards, other]), objective={"same_taxon": "positive"}), tmp_path / "both")
    few = changed(short.on_shards([other]), objective={"same_taxon": "unique"}, training={"batch_size": 8})
    with pytest.raises(RecordError, match="3 taxa"):
        train(few, tmp_path / "few")


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, recipe: RunRecipe) -> None:
    """With the remedy, and without a checkpoint of it."""
    with pytest.raises(UsageError, match=r"optimizer\.lr"):
        train(changed(recipe, optimizer={"lr": 1e30}), tmp_path)
    assert not [path for path in written_checkpoints(tmp_path / "checkpoints") if path.name != "step-00000005"]


def test_the_command_trains_and_prints(tmp_path: Path, shards: Path) -> None:
    """One JSON document with the loss and the checkpoint."""
    path = tmp_path / "recipe.toml"
    path.write_text((MODEL + REST).replace("steps = 20\nwarmup = 3", "steps = 2\nwarmup = 1"))
    arguments = [str(path), "--shards", str(shards), "--out", str(tmp_path / "run"), "--device", "cpu"]
    done = CliRunner().invoke(command, [*arguments, "--format", "json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert (found["step"], found["stopped_by"]) == (2, None)
    assert Path(found["checkpoint"]).is_dir()
    assert found["loss"] == losses(tmp_path / "run")[-1]
    done = CliRunner().invoke(command, [*arguments, "--resume"], catch_exceptions=False)
    assert done.stdout.startswith("Step 2 of 2: ")


def test_shards_must_be_named(tmp_path: Path, recipe: RunRecipe) -> None:
    """By the recipe or on the command line."""
    with pytest.raises(UsageError, match="--shards"):
        train(recipe.on_shards([]), tmp_path)
