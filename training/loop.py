"""Train a CLIP on shards by a recipe; resumable to the last digit.

    bioclip-search train run RECIPE.toml --shards FOLDER --out RUN
    torchrun --nproc-per-node 8 -m bioclip_search train run RECIPE.toml --shards FOLDER --out RUN --resume

Read from the top: prepare the data, the model and the trainer's state; then step by step.
"""

import math
import signal
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bioclip_search.errors import UsageError
from training.checkpoint import Checkpoints, written_checkpoints
from training.data import Batch, Captions, SampleReader, ShardSamples, local_batches
from training.distributed import World, world
from training.gradient import Features, batch_gradient
from training.initial import initial_model
from training.metrics import Clock, Metrics, Progress
from training.objectives import clip_loss, siglip_loss
from training.plan import FolderPlan, caption_groups, rows_of
from training.run_recipe import RunRecipe
from training.schedule import share_of_rate
from training.shard_index import ShardFolder, index_all, open_folder
from training.state import TrainerState, first_state
from training.stopping import stop_noted

__all__ = ["RunReport", "run_training"]

_LOG_SCALE_LIMIT = math.log(100)  # Radford et al. 2021, section 2.5


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended: its last step of so many, the loss there, the checkpoint, the signal that stopped it or 0.

    The loss is None when there was no step left to do.
    """

    step: int
    steps: int
    loss: float | None
    checkpoint: Path
    stopped_by: int = 0


def run_training(
    recipe: RunRecipe, out: Path, progress: Progress, *, resume: bool = False, device: str = "auto"
) -> RunReport:
    """Train by the recipe into the folder `out`, alone or as one of torchrun's processes.

    With `resume` the last checkpoint in `out` is taken up, if there is one. Raises UsageError,
    RecordError for shards, ModelError.
    """
    with world(device) as here:
        _check(recipe, out, here, resume=resume)
        folders = [open_folder(source) for source in recipe.data.shards]
        samples = _indexed(folders, out / "index", here, progress)
        plans = _plans(recipe, folders, samples)
        steps = recipe.schedule.steps or (recipe.schedule.epochs or 0) * plans[0].batches_an_epoch
        if recipe.schedule.warmup > steps:
            raise UsageError(f"The recipe's schedule.warmup is longer than the run of {steps:,} steps.")
        initial = initial_model(recipe)
        state = first_state(recipe, initial, folders, here)
        if resume and (written := written_checkpoints(out / "checkpoints")):
            state.load(written[-1])
            progress.say(f"going on after step {state.step:,}")
        reader = SampleReader(
            samples,
            Captions.of(recipe.data, recipe.seed),
            initial.tokenizer,
            initial.preprocessing.size,
            recipe.data.crop_scale,
        )
        batches = local_batches(
            reader,
            plans,
            state.positions,
            state.step,
            here.part(recipe.training.batch_size),
            workers=recipe.data.workers,
            pin=here.device.type == "cuda",
        )
        try:
            return _train(recipe, state, batches, steps, out, progress)
        finally:
            for one in samples:
                one.close()


def _check(recipe: RunRecipe, out: Path, here: World, *, resume: bool) -> None:
    if not recipe.data.shards:
        raise UsageError("The recipe names no folder of shards; give one with --shards.")
    if recipe.training.batch_size % here.size:
        raise UsageError(
            f"The recipe's training.batch_size of {recipe.training.batch_size:,} cannot be shared evenly by "
            f"{here.size} processes."
        )
    if not resume and (out / "metrics.jsonl").exists():
        raise UsageError(f"The folder {out} holds a run already; go on with it by --resume, or name a new one.")
    here.wait()  # until every process has looked
    try:
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {out} cannot be made ({error.strerror}); name another one.") from error


def _indexed(folders: Sequence[ShardFolder], index: Path, here: World, progress: Progress) -> list[ShardSamples]:
    """Preflight: every shard is read through and checked once, shared out among the machine's processes."""
    shards = [shard for folder in folders for shard in folder.shards]
    index_all(shards[here.local_rank :: here.local_size], index, progress.say)
    here.wait()
    return [ShardSamples(folder.shards, index) for folder in folders]


def _plans(recipe: RunRecipe, folders: Sequence[ShardFolder], samples: Sequence[ShardSamples]) -> list[FolderPlan]:
    rows = rows_of(recipe.training.batch_size, [source.share for source in recipe.data.shards])
    unique = recipe.objective.same_taxon == "unique"
    return [
        FolderPlan(
            tuple(shard.samples for shard in folder.shards),
            rows[number],
            (recipe.seed, number),
            recipe.data.mixed_shards,
            caption_groups(samples[number].column("scientific"), samples[number].column("common")) if unique else None,
        )
        for number, folder in enumerate(folders)
    ]


def _train(
    recipe: RunRecipe, state: TrainerState, batches: Iterator[Batch], steps: int, out: Path, progress: Progress
) -> RunReport:
    size, here, loss, stopped_by = recipe.training.batch_size, state.here, None, 0
    checkpoints = Checkpoints(out / "checkpoints", recipe.checkpoint.keep)
    progress.begin((steps - state.step) * size)
    clock = Clock()
    told = out / "metrics.jsonl" if here.leads else None
    with stop_noted() as stop, Metrics(told, state.step) as metrics:
        while state.step < steps and not stopped_by:
            batch = next(batches)
            clock.data_came()
            rate = share_of_rate(state.step, steps, recipe.schedule.warmup)
            local_loss, norm = _step(state, batch, rate)
            # Every process learns of a signal that one of them got: all stop after the same step.
            loss, stopping = here.mean([local_loss, float(stop())])
            stopped_by = (stop() or signal.SIGTERM) if stopping else 0
            state.step, state.positions = state.step + 1, list(batch.positions)
            if not math.isfinite(loss):
                raise UsageError(
                    f"The loss is {loss} at step {state.step:,}; lower optimizer.lr or set "
                    "optimizer.grad_clip_norm, and begin anew."
                )
            line = _line(state, loss, norm, rate) | clock.step_done(size)
            metrics.write(line)
            progress.advance(size)
            if clock.sentence_due():
                wait = f"{line['data_wait']:.0%} of the time waiting for data"
                progress.say(f"step {state.step:,} of {steps:,}: loss {loss:.3f}, {wait}")
            if state.step % recipe.checkpoint.every == 0 or state.step == steps or stopped_by:
                checkpoint = state.checkpoint()
                if here.leads:
                    checkpoints.save(checkpoint)
    checkpoints.finish()
    here.wait()
    return RunReport(state.step, steps, loss, checkpoints.path(state.step), stopped_by)


def _line(state: TrainerState, loss: float, norm: float, rate: float) -> dict[str, Any]:
    return {
        "step": state.step,
        "epoch": state.positions[0].epoch,
        "loss": loss,
        "lr": state.recipe.optimizer.lr * rate,
        "logit_scale": float(state.model.logit_scale.detach().exp()),
        "grad_norm": norm,
    }


def _step(state: TrainerState, batch: Batch, rate: float) -> tuple[float, float]:
    """One step of the optimiser; the loss of this process's rows, and the norm of the gradient before it is cut."""
    recipe, optimizer, scaler = state.recipe, state.optimizer, state.scaler
    for group in optimizer.param_groups:
        group["lr"] = group["full_lr"] * rate
    optimizer.zero_grad(set_to_none=True)
    rows = len(batch.tokens)
    loss = batch_gradient(
        partial(_features, state, batch),
        rows,
        recipe.training.micro_batch or rows,
        partial(_loss, state, batch.labels.to(state.here.device)),
        lambda scalar: torch.autograd.backward(scaler.scale(scalar)),
        state.parallel,
    )
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), recipe.optimizer.grad_clip_norm or math.inf)
    scaler.step(optimizer)
    scaler.update()
    with torch.no_grad():
        state.model.logit_scale.clamp_(0, _LOG_SCALE_LIMIT)
    if state.ema is not None:
        state.ema.update_parameters(state.model)
    return loss, float(norm)


def _features(state: TrainerState, batch: Batch, rows: slice) -> Features:
    """The model on some rows, in the recipe's precision; its features as float32."""
    device, precision = state.here.device, state.recipe.training.precision
    pixels = batch.pixels[rows].to(device, non_blocking=True)
    tokens = batch.tokens[rows].to(device, non_blocking=True)
    mean, std = (
        torch.tensor(values, device=device).view(1, 3, 1, 1)
        for values in (state.initial.preprocessing.mean, state.initial.preprocessing.std)
    )
    images = (pixels.float() / 255 - mean) / std
    if precision == "pure_bf16":
        images = images.bfloat16()
    half = {"amp": torch.float16, "amp_bf16": torch.bfloat16}.get(precision)
    with nullcontext() if half is None else torch.autocast(device.type, half):
        found = state.parallel(images, tokens)
    return Features(
        found["image_features"].float(), found["text_features"].float(), found["logit_scale"], found.get("logit_bias")
    )


def _loss(state: TrainerState, labels: torch.Tensor, found: Features) -> torch.Tensor:
    objective, first = state.recipe.objective, state.here.rank * len(labels)
    wanted = labels if objective.same_taxon == "positive" else None
    if objective.loss == "siglip":
        if found.bias is None:
            raise RuntimeError("a model for the SigLIP loss has a bias")
        return siglip_loss(found.images, found.texts, found.scale, found.bias, wanted, first)
    return clip_loss(found.images, found.texts, found.scale, wanted, first)
