"""All that changes while a model is trained, and how it is put into a checkpoint and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from bioclip_search.errors import UsageError
from training.batch_norm import synchronised
from training.checkpoint import Checkpoint, load_checkpoint, load_optimizer, optimizer_tensors
from training.distributed import World
from training.initial import Initial
from training.plan import Position
from training.replay import halved, joined, widen
from training.run_recipe import RunRecipe
from training.schedule import adamw
from training.shard_index import ShardFolder
from training.sharding import as_held, gathered, parallel_model

__all__ = ["TrainerState", "first_state"]

# What a run may go on with otherwise than it began: it changes the speed and not the result.
_FREE = {
    "model": ("grad_checkpointing",),
    "data": ("shards", "workers"),
    "training": ("micro_batch", "sharding", "compile"),
    "checkpoint": ("every", "keep"),
    "replay": ("path",),
    "evaluation": ("every", "epochs", "split", "photos", "text_type"),
}


@dataclass(slots=True)
class TrainerState:
    """`parallel` is `model` to be called, which several processes may share; `best` is a step and its accuracy."""

    recipe: RunRecipe
    initial: Initial
    folders: Sequence[ShardFolder]
    here: World
    model: Any
    parallel: Any
    optimizer: torch.optim.AdamW
    scaler: torch.amp.GradScaler
    ema: AveragedModel | None
    positions: list[Position]
    step: int = 0
    best: tuple[int, float] | None = None

    def checkpoint(self) -> Checkpoint:
        """A copy of this moment; every process must ask for it, the one that leads gets its tensors."""
        rng = {"cpu": torch.get_rng_state()}
        if self.here.device.type == "cuda":
            rng["cuda"] = torch.cuda.get_rng_state()
        by_rank = self.here.all(rng)
        model, replay = self._weights(self.model)
        ema, replay_ema = self._weights(self.ema.module) if self.ema else ({}, {})
        return Checkpoint(
            step=self.step,
            config=self.initial.config(self.folders[0].fit),
            state=self._described(),
            model=model,
            optimizer=optimizer_tensors(self.optimizer, self.model, keep=self.here.leads),
            rng={f"{rank}/{kind}": value for rank, one in enumerate(by_rank) for kind, value in one.items()},
            ema=ema,
            replay=replay | {f"ema/{name}": tensor for name, tensor in replay_ema.items()},
            extra_files=self.initial.extra_files,
        )

    def _weights(self, model: Any) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Those of a plain model of open_clip, and those that only replay needs."""
        weights = gathered(model.state_dict().items(), keep=self.here.leads)
        for name in ("logit_scale", "logit_bias"):
            if name in weights:
                weights[name] = weights[name].reshape(())
        return halved(weights) if self.recipe.replay and weights else (weights, {})

    def _described(self) -> dict[str, Any]:
        return {
            "format": 1,
            "step": self.step,
            "samples": self.step * self.recipe.training.batch_size,
            "positions": [{"epoch": one.epoch, "batch": one.batch} for one in self.positions],
            "scaler": self.scaler.state_dict(),
            "best": self.best,
            "ema_steps": int(self.ema.n_averaged) if self.ema else 0,
            "shards": [folder.digest for folder in self.folders],
            "recipe": self.recipe.as_json(),
        }

    def load(self, folder: Path) -> None:
        """Go back to the moment of a checkpoint. Raises UsageError for one of another recipe or other shards."""
        checkpoint = load_checkpoint(folder)
        self._see_same(folder, checkpoint)
        replay = {name: half for name, half in checkpoint.replay.items() if not name.startswith("ema/")}
        _put_back(self.model, joined(checkpoint.model, replay))
        load_optimizer(self.optimizer, self.model, checkpoint.optimizer)
        self.scaler.load_state_dict(checkpoint.state["scaler"])
        if self.ema is not None:
            replay = {name[4:]: half for name, half in checkpoint.replay.items() if name.startswith("ema/")}
            _put_back(self.ema.module, joined(checkpoint.ema, replay))
            self.ema.n_averaged.fill_(checkpoint.state["ema_steps"])
        self.positions = [Position(**one) for one in checkpoint.state["positions"]]
        self.step = checkpoint.step
        # Accuracies on other photos or texts cannot be compared.
        before, now = (_measure(recipe) for recipe in (checkpoint.state["recipe"], self.recipe.as_json()))
        best = checkpoint.state.get("best")
        self.best = tuple(best) if best and (self.recipe.evaluation is None or before == now) else None
        # With other processes than before there is nothing to go back to; only dropout would tell.
        if (cpu := checkpoint.rng.get(f"{self.here.rank}/cpu")) is not None:
            torch.set_rng_state(cpu)
        if (cuda := checkpoint.rng.get(f"{self.here.rank}/cuda")) is not None and self.here.device.type == "cuda":
            torch.cuda.set_rng_state(cuda)

    def _see_same(self, folder: Path, checkpoint: Checkpoint) -> None:
        before, now = (_fixed(recipe) for recipe in (checkpoint.state["recipe"], self.recipe.as_json()))
        if changed := sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key)):
            raise UsageError(
                f"The run in {folder.parent.parent} began with another recipe ({', '.join(changed)}); give that one, "
                "or begin anew in another folder."
            )
        if checkpoint.state["shards"] != [one.digest for one in self.folders]:
            raise UsageError(f"The run in {folder.parent.parent} began on other shards; begin anew in another folder.")


def _put_back(model: Any, weights: dict[str, torch.Tensor]) -> None:
    held = model.state_dict()
    model.load_state_dict({name: as_held(tensor, held[name]) for name, tensor in weights.items()})


def _fixed(recipe: dict[str, Any]) -> dict[str, str]:
    """The keys on which the result depends, “optimizer.lr”, with their values as JSON."""
    flat: dict[str, Any] = {}
    for name, value in recipe.items():
        flat |= {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {name: value}
    # A project's folders may be moved as a whole, the model that was begun with among them.
    if (init := flat.get("model.init")) and Path(init).is_absolute():
        flat["model.init"] = Path(init).name
    free = {f"{name}.{key}" for name, keys in _FREE.items() for key in keys} | {"evaluation"}
    # Where the shards lie is free, as what is in them is compared; how they are mixed is not.
    flat["data.shards and their shares"] = [(one["share"], one["split"]) for one in recipe["data"]["shards"]]
    return {key: json.dumps(one, sort_keys=True) for key, one in flat.items() if key not in free}


def _measure(recipe: dict[str, Any]) -> list[Any]:
    """What an accuracy in validation depends on, but for the weights."""
    return [(recipe.get("evaluation") or {}).get(key) for key in ("split", "photos", "text_type")]


def first_state(recipe: RunRecipe, initial: Initial, folders: Sequence[ShardFolder], here: World) -> TrainerState:
    """The model on its device with a new optimiser, at step 0."""
    model = initial.model.to(here.device, memory_format=_layout(initial.model, recipe)).train()
    model = synchronised(model, here)
    model.output_dict = True
    if recipe.replay is not None:
        widen(model)
    if recipe.training.precision == "pure_bf16":
        model = model.to(torch.bfloat16)
        for one in (model.logit_scale, model.logit_bias):
            if one is not None:
                one.data = one.data.float()  # it moves in steps that bfloat16 does not know
    decay = recipe.training.ema_decay
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay)) if decay else None  # type: ignore[no-untyped-call]
    if recipe.training.compile:
        model.compile()
    parallel = parallel_model(model, recipe.training.sharding, here)
    optimizer = adamw(model, recipe.optimizer)
    scaler = torch.amp.GradScaler(here.device.type, enabled=recipe.training.precision == "amp")
    torch.manual_seed(recipe.seed + here.rank)
    return TrainerState(
        recipe, initial, folders, here, model, parallel, optimizer, scaler, ema, [Position()] * len(folders)
    )


def _layout(model: Any, recipe: RunRecipe) -> torch.memory_format:
    """Convolutions of a ResNet are faster with channels last, on processors too; FSDP2 takes plain rows only."""
    is_resnet = hasattr(model.visual, "layer1")
    return torch.channels_last if is_resnet and recipe.training.sharding != "fsdp2" else torch.preserve_format
