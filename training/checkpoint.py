"""Checkpoints: folders that open_clip loads as models, with all that a run needs to go on as if never stopped.

    RUN/checkpoints/step-00001000/
        open_clip_config.json, open_clip_model.safetensors    the model; `--model` takes the folder
        ema/                                                  the same of the mean weights
        optimizer.safetensors, rng.safetensors, state.json    the rest
        replay.safetensors                                    the projection that only replay needs
    RUN/best.json                                             which checkpoint was best in validation

A folder is written aside, brought to the disk, and renamed: what is named is whole. Nothing is pickled.
"""

import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bioclip_search.atomic import write_json
from bioclip_search.errors import UsageError
from training.sharding import as_held, gathered

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "load_checkpoint",
    "load_optimizer",
    "optimizer_tensors",
    "written_checkpoints",
]

Tensors = dict[str, torch.Tensor]

_MODEL = "open_clip_model.safetensors"
_CONFIG = "open_clip_config.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is kept of a moment. `state` is plain JSON; tensors are on the CPU; `ema` and `replay` may be empty.

    Of several processes only the one that leads has the tensors.
    """

    step: int
    config: Mapping[str, Any]
    state: Mapping[str, Any]
    model: Tensors
    optimizer: Tensors
    rng: Tensors
    ema: Tensors = field(default_factory=dict)
    replay: Tensors = field(default_factory=dict)
    extra_files: tuple[Path, ...] = ()


def written_checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints of a run, oldest first."""
    return sorted(path for path in folder.glob("step-????????") if path.is_dir())


class Checkpoints:
    """The checkpoints of one run, the last `keep` of them and the best; written behind the training's back."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep
        self._writer = ThreadPoolExecutor(1)
        self._under_way: Future[None] | None = None

    def path(self, step: int) -> Path:
        return self._folder / f"step-{step:08d}"

    def save(self, checkpoint: Checkpoint) -> None:
        """Begin to write; waits for the one before, and raises what befell it (UsageError)."""
        self.finish()
        self._under_way = self._writer.submit(self._write, checkpoint)

    def finish(self) -> None:
        """Wait until what is under way is on the disk."""
        if self._under_way is None:
            return
        try:
            self._under_way.result()
        except (OSError, SafetensorError) as error:
            raise UsageError(
                f"A checkpoint cannot be written into {self._folder} ({error}); free some space and give the "
                "command again with --resume."
            ) from error
        finally:
            self._under_way = None

    def _write(self, checkpoint: Checkpoint) -> None:
        final = self.path(checkpoint.step)
        part = final.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _write_model(part, checkpoint.model, checkpoint)
        if checkpoint.ema:
            _write_model(part / "ema", checkpoint.ema, checkpoint)
        save_file(checkpoint.optimizer, part / "optimizer.safetensors")
        save_file(checkpoint.rng, part / "rng.safetensors")
        if checkpoint.replay:
            save_file(checkpoint.replay, part / "replay.safetensors")
        (part / "state.json").write_text(json.dumps(checkpoint.state, indent=1) + "\n", encoding="utf-8")
        for path in (*part.rglob("*"), part):
            path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes for the owner alone
            _to_disk(path)
        shutil.rmtree(final, ignore_errors=True)
        part.rename(final)
        _to_disk(self._folder)
        best = self._remember_best(checkpoint.state.get("best"))
        for old in written_checkpoints(self._folder)[: -self._keep]:
            if old != best:
                shutil.rmtree(old)

    def _remember_best(self, best: tuple[int, float] | None) -> Path | None:
        if best is None:
            return None
        step, accuracy = best
        path = self.path(step)
        line = {"step": step, "zero_shot": accuracy, "checkpoint": f"{path.parent.name}/{path.name}"}
        write_json(self._folder.parent / "best.json", line)
        return path


def _write_model(folder: Path, weights: Tensors, checkpoint: Checkpoint) -> None:
    folder.mkdir(parents=True)
    save_file(weights, folder / _MODEL)
    (folder / _CONFIG).write_text(json.dumps(checkpoint.config, indent=2) + "\n", encoding="utf-8")
    for file in checkpoint.extra_files:
        shutil.copyfile(file, folder / file.name)


def _to_disk(path: Path) -> None:
    stream = os.open(path, os.O_RDONLY)
    try:
        os.fsync(stream)
    finally:
        os.close(stream)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint. Raises UsageError when it cannot be used."""
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        if state["format"] != 1:
            raise UsageError(f"The checkpoint {folder} is of a newer version; update this program.")
        return Checkpoint(
            step=int(state["step"]),
            config=json.loads((folder / _CONFIG).read_text(encoding="utf-8")),
            state=state,
            model=load_file(folder / _MODEL),
            optimizer=load_file(folder / "optimizer.safetensors"),
            rng=load_file(folder / "rng.safetensors"),
            ema=load_file(folder / "ema" / _MODEL) if (folder / "ema").is_dir() else {},
            replay=load_file(replay) if (replay := folder / "replay.safetensors").is_file() else {},
        )
    except (OSError, ValueError, LookupError, SafetensorError) as error:
        raise UsageError(
            f"The checkpoint {folder} cannot be read ({error}); delete it, and --resume takes the one before."
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: torch.nn.Module, *, keep: bool = True) -> Tensors:
    """The state of every parameter as “exp_avg/visual.proj”, as `gathered` gives tensors."""
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    held = (
        (f"{key}/{names[parameter]}", value)
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    )
    return gathered(held, keep=keep)


def load_optimizer(optimizer: torch.optim.Optimizer, model: torch.nn.Module, tensors: Tensors) -> None:
    """Put back what `optimizer_tensors` gave."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    states: dict[str, Tensors] = {}
    for described, tensor in tensors.items():
        key, _, name = described.partition("/")
        states.setdefault(name, {})[key] = tensor
    kept = optimizer.state_dict()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    kept["state"] = {
        i: {key: value if key == "step" else as_held(value, one) for key, value in states[names[one]].items()}
        for i, one in enumerate(parameters)
        if names[one] in states
    }
    optimizer.load_state_dict(kept)
