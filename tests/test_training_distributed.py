"""Several processes train as one would."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import open_clip
import pytest
import torch
from shard_writer import write_shards

from training.checkpoint import written_checkpoints
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

GATHER = """
import sys
from training.distributed import world
from training.initial import initial_model
from training.run_recipe import load_run_recipe
from training.shard_index import open_folder
from training.state import first_state
if __name__ == "__main__":
    recipe = load_run_recipe(sys.argv[1]).on_shards([sys.argv[2]])
    with world("cpu") as here:
        state = first_state(recipe, initial_model(recipe), [open_folder(recipe.data.shards[0])], here)
        made = state.checkpoint()
        sys.stdout.write(f"{here.rank}: {len(made.model)} {len(made.replay)}\\n")
"""


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


TORCHRUN = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run"]


def torchrun(tmp_path: Path, *arguments: object, program: str = TRAIN) -> str:
    """What two processes on this machine print, on a port that is free. If one fails, all that each complained of."""
    script = tmp_path / "train.py"
    script.write_text(program)
    with tempfile.TemporaryDirectory(dir=tmp_path) as logs:
        # A file for each: in one pipe their lines would be mixed with each other and with torchrun's own.
        place = ["--standalone", "--nproc-per-node", "2", "--log-dir", logs, "--redirects", "2"]
        command = [*TORCHRUN, *place, script, *arguments]
        traced = os.environ | {"PYTHONFAULTHANDLER": "1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=traced)
        ranks = {log.parent.name: log.read_text(errors="replace") for log in sorted(Path(logs).rglob("stderr.log"))}
    if done.returncode != 0:
        complaints = "".join(f"\n--- rank {rank} ---\n{text}" for rank, text in ranks.items())
        pytest.fail(f"torchrun ended with {done.returncode}:\n{done.stderr}{complaints}", pytrace=False)
    return done.stdout


def test_a_process_that_aborts_shows_where(tmp_path: Path) -> None:
    """The whole of what it wrote, from the first line on, and the place in the program."""
    program = """
import os
import sys
def end_here():
    os.abort()
if os.environ["RANK"] == "1":
    sys.stderr.write("first line\\n" + "more\\n" * 20_000)
    end_here()
"""
    with pytest.raises(pytest.fail.Exception) as failed:
        torchrun(tmp_path, program=program)
    told = str(failed.value)
    assert "--- rank 1 ---\nfirst line\n" in told
    assert told.count("more\n") == 20_000
    assert "in end_here" in told


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


def small(tmp_path: Path, name: str, more: str) -> Path:
    """A recipe of eight steps in micro-batches, evaluated, with replay and a cut gradient."""
    text = RECIPE.replace("SAME", "").replace("MICRO", f"3\n{more}").replace("steps = 20", "steps = 8")
    text = text.replace("every = 8", "every = 4").replace("lr = 1e-3", "lr = 1e-3\ngrad_clip_norm = 1.0")
    path = tmp_path / f"{name}.toml"
    path.write_text(text + f'[replay]\nbatch_size = 6\npath = "{tmp_path}/other"\n[evaluation]\nevery = 4\n')
    write_shards(tmp_path / "shards", val=(11,))
    write_shards(tmp_path / "other", (15,), captions=True)
    return path


def told(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    names = ("loss", "replay_loss", "zero_shot")
    return [line.get(name, 0.0) for line in lines for name in names]


def test_a_model_in_parts_equals_whole_copies(tmp_path: Path) -> None:
    """FSDP2 on two processes gives the losses of one process, and goes on where whole copies stopped."""
    recipe = small(tmp_path, "fsdp2", 'sharding = "fsdp2"')
    shards = tmp_path / "shards"
    one = load_run_recipe(small(tmp_path, "one", "")).on_shards([shards])
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run_training(one, tmp_path / "one", Silence(), device="cpu")
    torch.set_num_threads(before)
    expected = told(tmp_path / "one")
    torchrun(tmp_path, recipe, "--shards", shards, "--out", tmp_path / "two", "--device", "cpu")
    assert told(tmp_path / "two") == pytest.approx(expected, abs=1e-5)
    # Both ways: what the parts wrote goes on whole, and the other way round.
    for out in ("one", "two"):
        last = written_checkpoints(tmp_path / out / "checkpoints")[-1]
        assert last.name == "step-00000008"
        last.rename(tmp_path / f"away-{out}")
    run_training(one, tmp_path / "two", Silence(), device="cpu", resume=True)
    assert told(tmp_path / "two") == pytest.approx(expected, abs=1e-5)
    torchrun(tmp_path, recipe, "--shards", shards, "--out", tmp_path / "one", "--device", "cpu", "--resume")
    assert told(tmp_path / "one") == pytest.approx(expected, abs=1e-5)


def test_one_process_gathers_a_checkpoint(tmp_path: Path) -> None:
    """The others send their parts, and keep no whole tensor."""
    recipe = small(tmp_path, "fsdp2", 'sharding = "fsdp2"')
    printed = torchrun(tmp_path, recipe, tmp_path / "shards", program=GATHER)
    weights = len(open_clip.CLIP(**load_run_recipe(recipe).model.config or {}).state_dict())
    assert sorted(printed.split("\n")) == ["", f"0: {weights} 1", "1: 0 0"]


def test_machines_share_a_folder(tmp_path: Path) -> None:
    """Two machines with a process each, all writing into one folder: one run, one file of metrics."""
    recipe, shards, out = small(tmp_path, "nodes", ""), tmp_path / "shards", tmp_path / "run"
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    # The machines meet in a file, and the first of them takes a port that is free.
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", str(tmp_path / "meeting"), "--rdzv-conf", "store_type=file"]
    place = ["--nnodes", "2", "--nproc-per-node", "1", *meeting, "--local-addr", "127.0.0.1"]
    cpu = ("--device", "cpu")
    machines = [
        subprocess.Popen(
            [*TORCHRUN, *place, script, recipe, "--shards", shards, "--out", out, *cpu],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [machine.communicate(timeout=300) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], "\n".join(complained for _, complained in ended)
    assert len(losses(out)) == 8
    assert sorted(printed.startswith("Step 8 of 8") for printed, _ in ended) == [False, True]
    assert not list(out.rglob("*.part"))
