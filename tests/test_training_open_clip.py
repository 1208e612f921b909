"""The loop beside open_clip's own trainer: the same weights and batches give the same losses."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import draw_photo, write_model

from training.loop import run_training
from training.metrics import Silence
from training.run_recipe import load_run_recipe
from training.shards.picture import Shape
from training.shards.plan import Dealt, Problem
from training.shards.run import ShardOptions, write_shards
from training.shards.table import TableSource
from training.shards.write import Form

CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
RECIPE = """
[model]
init = "MODEL"
[data]
workers = 0
text_types = ["taxon_com"]
crop_scale = [1.0, 1.0]
[optimizer]
lr = 1e-3
wd = 0.2
[schedule]
steps = 10
warmup = 3
[training]
batch_size = 16
"""


def our_shards(folder: Path) -> Path:
    """One shard of sixteen drawn photos of as many species, as `train shards --text-members` writes it."""
    rows = ["kingdom,family,genus,specificEpithet,vernacularName,scientificName,associatedMedia"]
    for number in range(16):
        draw_photo(folder / "photos" / f"{number}.jpg", seed=number)
        names = f"Animalia,Family{number % 3}idae,Genus{number},albus,{f'white {number}' if number % 2 else ''}"
        rows.append(f"{names},Genus{number} albus L.,photos/{number}.jpg")
    (folder / "records.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    form = Form(Shape(32), text_members=True, max_count=16)
    options = ShardOptions(folder / "shards", Dealt(seed=0, val=0.0), form)
    write_shards(TableSource(folder / "records.csv"), options, QuietShards())
    return folder / "shards"


class QuietShards:
    """Writing is watched by nobody; a photo that cannot be written fails the test."""

    def planned(self, photos: int) -> None: ...

    def begin(self, total: int) -> None: ...

    def advance(self, photos: int) -> None: ...

    def problem(self, problem: Problem) -> None:
        raise AssertionError(problem)


# The trainer of open_clip 3 knows webdataset up to 0.2.86: later ones mark the end of each tar by a sample without
# a file, at which it fails. It sees the same stream without those marks.
THEIR_TRAINER = """
import runpy, sys
import webdataset.tariterators as tars
expand = tars.tar_file_expander
tars.tar_file_expander = lambda *given, **named: (file for file in expand(*given, **named) if "fname" in file)
runpy.run_module("open_clip_train.main", run_name="__main__")
"""


def test_losses_are_those_of_the_trainer_of_open_clip(tmp_path: Path) -> None:
    """On our own shards, for ten steps: one batch holds all samples, so that their order does not matter."""
    model, shards = write_model(tmp_path / "model", config=CONFIG), our_shards(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("MODEL", str(model)))
    recipe = load_run_recipe(tmp_path / "recipe.toml").on_shards([shards])
    run_training(recipe, tmp_path / "ours", Silence(), device="cpu")
    lines = (tmp_path / "ours" / "metrics.jsonl").read_text().splitlines()
    options = {
        "model": f"local-dir:{model}",
        "train-data": shards / "train-000000.tar",
        "train-num-samples": 16,
        "dataset-type": "webdataset",
        "batch-size": 16,
        "workers": 1,
        "epochs": 10,
        "warmup": 3,
        "lr": 1e-3,
        "wd": 0.2,
        "beta1": 0.9,
        "beta2": 0.98,
        "eps": 1e-6,
        "precision": "fp32",
        "save-frequency": 0,
        "log-every-n-steps": 1,
        "device": "cpu",
        "report-to": "",
        "name": "theirs",
        "logs": tmp_path / "logs",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-W", "ignore", "-c", THEIR_TRAINER, *arguments, "--aug-cfg", "scale=(1.0,1.0)"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    theirs = [float(loss) for loss in re.findall(r"Contrastive_loss: ([\d.]+)", done.stderr + done.stdout)]
    assert len(theirs) == 10, done.stderr
    assert [json.loads(line)["loss"] for line in lines] == pytest.approx(theirs, abs=1e-4)
