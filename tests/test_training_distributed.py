"""Several processes train as one would."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from shard_writer import write_shards

from training.loop import run_training
from training.metrics import Silence
from training.run_recipe import load_run_recipe

RECIPE = """
[model.config]
embed_dim = 32
vision_cfg = { image_size = 32, layers = 2, width = 64, patch_size = 8, head_width = 32 }
text_cfg = { context_length = 24, vocab_size = 49408, width = 16, heads = 2, layers = 1 }
[data]
workers = 0
[objective]
SAME
[optimizer]
lr = 1e-3
[schedule]
steps = 20
warmup = 3
[training]
batch_size = 16
micro_batch = MICRO
[checkpoint]
every = 8
"""
TRAIN = """
import sys
from bioclip_search.cli.train_run import command
if __name__ == "__main__":
    command()
"""


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def torchrun(tmp_path: Path, *arguments: object) -> None:
    """Two processes on this machine, on a port that is free."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    torchrun = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*torchrun, script, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("objective", "micro_batch"),
    [
        ('loss = "clip"', 16),
        ('loss = "siglip"\nsame_taxon = "positive"', 3),
    ],
)
def test_two_processes_equal_one(tmp_path: Path, objective: str, micro_batch: int) -> None:
    """At the same whole batch, for twenty steps, whole and in micro-batches; and they go on where one stopped."""
    shards, recipe, out = write_shards(tmp_path / "shards"), tmp_path / "recipe.toml", tmp_path / "two"
    recipe.write_text(RECIPE.replace("SAME", objective).replace("MICRO", str(micro_batch)))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run_training(load_run_recipe(recipe).on_shards([shards]), tmp_path / "one", Silence(), device="cpu")
    torch.set_num_threads(before)
    arguments = [recipe, "--shards", shards, "--out", out, "--device", "cpu"]
    torchrun(tmp_path, *arguments)
    assert len(losses(out)) == 20
    assert losses(out) == pytest.approx(losses(tmp_path / "one"), abs=1e-5)
    if micro_batch == 16:
        one = tmp_path / "one" / "checkpoints"
        for step in (16, 20):
            (one / f"step-{step:08d}").rename(tmp_path / f"away-{step}")
        expected = losses(tmp_path / "one")
        torchrun(tmp_path, recipe, "--shards", shards, "--out", tmp_path / "one", "--device", "cpu", "--resume")
        assert losses(tmp_path / "one") == pytest.approx(expected, abs=1e-5)
