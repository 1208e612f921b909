"""The loop beside open_clip's own trainer: the same weights and batches give the same losses."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from helpers import write_model
from shard_writer import write_shards

from bioclip_search.taxonomy import Taxon, TextType
from training.loop import run_training
from training.metrics import Silence
from training.run_recipe import load_run_recipe

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


def as_table(shard: Path, folder: Path) -> Path:
    """The pictures as files, and their captions in a table: what that trainer reads with any webdataset."""
    folder.mkdir()
    rows = ["filepath\ttitle"]
    with tarfile.open(shard) as tar:
        tar.extractall(folder, filter="data")
    for described in sorted(folder.glob("*.json")):
        taxon = Taxon.from_ranks(json.loads(described.read_text()))
        rows.append(f"{described.with_suffix('.jpg')}\ta photo of {taxon.text(TextType.TAXONOMIC_COMMON)}.")
    table = folder / "captions.tsv"
    table.write_text("\n".join(rows) + "\n")
    return table


def test_losses_are_those_of_the_trainer_of_open_clip(tmp_path: Path) -> None:
    """For ten steps: one batch holds all samples, so that their order does not matter."""
    pytest.importorskip("pandas", reason="open_clip's trainer needs pandas")
    model, shards = write_model(tmp_path / "model", config=CONFIG), write_shards(tmp_path / "shards", (16,))
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("MODEL", str(model)))
    recipe = load_run_recipe(tmp_path / "recipe.toml").on_shards([shards])
    run_training(recipe, tmp_path / "ours", Silence(), device="cpu")
    lines = (tmp_path / "ours" / "metrics.jsonl").read_text().splitlines()
    options = {
        "model": f"local-dir:{model}",
        "train-data": as_table(shards / "train-000000.tar", tmp_path / "table"),
        "dataset-type": "csv",
        "batch-size": 16,
        "workers": 0,
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
    command = [sys.executable, "-W", "ignore", "-m", "open_clip_train.main", *arguments, "--aug-cfg", "scale=(1.0,1.0)"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    theirs = [float(loss) for loss in re.findall(r"Contrastive_loss: ([\d.]+)", done.stderr + done.stdout)]
    assert len(theirs) == 10, done.stderr
    assert [json.loads(line)["loss"] for line in lines] == pytest.approx(theirs, abs=1e-4)
