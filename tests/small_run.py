"""A run of twenty steps of a tiny model, in this process on the CPU: for the tests of the trainer."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from training.loop import RunReport, run_training
from training.metrics import Silence
from training.run_recipe import RunRecipe, load_run_recipe

MODEL = """
[model.config]
embed_dim = 32
quick_gelu = true
vision_cfg = { image_size = 32, layers = 2, width = 64, patch_size = 8, head_width = 32 }
text_cfg = { context_length = 24, vocab_size = 49408, width = 16, heads = 2, layers = 1 }
"""
REST = """
[data]
workers = 0
[optimizer]
lr = 1e-3
[schedule]
steps = 20
warmup = 3
[training]
batch_size = 16
[checkpoint]
every = 5
"""


def small_recipe(folder: Path, shards: Path, more: str = "") -> RunRecipe:
    """The recipe on a folder of shards, with more parts."""
    path = folder / "recipe.toml"
    path.write_text(MODEL + REST + more)
    return load_run_recipe(path).on_shards([shards])


def changed(recipe: RunRecipe, **parts: dict[str, Any]) -> RunRecipe:
    """The recipe with other values: optimizer={"lr": 1e-4}."""
    return replace(recipe, **{name: replace(getattr(recipe, name), **values) for name, values in parts.items()})


def train(
    recipe: RunRecipe, out: Path, *, resume: bool = False, at: Callable[[int], None] = lambda _: None
) -> RunReport:
    """Train on the CPU; `at` is called after each step with their number."""

    class Steps(Silence):
        done = 0

        def advance(self, photos: int) -> None:  # noqa: ARG002
            self.done += 1
            at(self.done)

    return run_training(recipe, out, Steps(), resume=resume, device="cpu")


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    return [line["loss"] for line in lines]


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return load_file(checkpoint / "open_clip_model.safetensors")


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
