"""Train a CLIP on shards by a recipe; resumable to the last digit.

    bioclip-search train run RECIPE.toml --shards FOLDER --out RUN
    torchrun --nproc-per-node 8 -m bioclip_search train run RECIPE.toml --shards FOLDER --out RUN --resume

Read from the top: prepare the data, the model and the trainer's state; then step by step.
"""

import math
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bioclip_search.errors import UsageError
from training.batch_norm import see_whole_batches
from training.board import Board
from training.checkpoint import Checkpoints, written_checkpoints
from training.clock import Clock, duration
from training.data import Batch
from training.distributed import World, world
from training.feed import open_feed
from training.flops import peak_flops, training_flops
from training.initial import initial_model
from training.metrics import Metrics, Progress
from training.plan import Position
from training.plot import write_plot
from training.run_recipe import RunRecipe
from training.schedule import share_of_rate
from training.sharding import whole
from training.state import TrainerState, first_state
from training.step import Stepped, train_step
from training.stopping import stop_noted
from training.validation import Validation

__all__ = ["RunReport", "run_training"]

_Batches = Iterator[tuple[Batch, Batch | None, list[Position]]]


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended: its last step of so many, the loss there, the checkpoint, the signal that stopped it or 0.

    The loss is None when there was no step left to do. `best` is the step of the best checkpoint in
    validation and its accuracy, where the recipe evaluates.
    """

    step: int
    steps: int
    loss: float | None
    checkpoint: Path
    stopped_by: int = 0
    best: tuple[int, float] | None = None


def run_training(
    recipe: RunRecipe,
    out: Path,
    progress: Progress,
    *,
    resume: bool = False,
    device: str = "auto",
    tensorboard: bool = False,
) -> RunReport:
    """Train by the recipe into the folder `out`, alone or as one of torchrun's processes.

    With `resume` the last checkpoint in `out` is taken up, if there is one. Raises UsageError,
    RecordError for shards, ModelError.
    """
    with world(device) as here:
        _check(recipe, out, here, resume=resume)
        initial = initial_model(recipe)  # before shards are read through for hours
        see_whole_batches(initial.model, recipe, here)
        with closing(open_feed(recipe, out / "index", here, progress)) as feed:
            steps = recipe.schedule.steps_in(feed.batches_an_epoch)
            state = first_state(recipe, initial, feed.folders, here)
            if resume and (last := _last_checkpoint(out, here)):
                state.load(last)
                progress.say(f"going on after step {state.step:,}")
            validation = None
            if recipe.evaluation and feed.val:
                validation = Validation.of(recipe.evaluation, feed.val, state, feed.batches_an_epoch)
            batches = feed.batches(initial, state.positions, state.step, here)
            with Board(out / "tensorboard" if tensorboard and here.leads else None, state.step) as board:
                return _train(state, batches, steps, validation, out, progress, board)


def _check(recipe: RunRecipe, out: Path, here: World, *, resume: bool) -> None:
    for name, rows in (
        ("training", recipe.training.batch_size),
        ("replay", recipe.replay.batch_size if recipe.replay else 0),
    ):
        if rows % here.size:
            raise UsageError(
                f"The recipe's {name}.batch_size of {rows:,} cannot be shared evenly by {here.size} processes."
            )
    if not resume and (out / "metrics.jsonl").exists():
        raise UsageError(f"The folder {out} holds a run already; go on with it by --resume, or name a new one.")
    here.wait()  # until every process has looked
    try:
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {out} cannot be made ({error.strerror}); name another one.") from error


def _last_checkpoint(out: Path, here: World) -> Path | None:
    """As the first process sees it: other machines may see a shared disk as it was a moment ago."""
    written = written_checkpoints(out / "checkpoints")
    last = here.all(written[-1].name if written else None)[0]
    return out / "checkpoints" / last if last else None


def _train(
    state: TrainerState,
    batches: _Batches,
    steps: int,
    validation: Validation | None,
    out: Path,
    progress: Progress,
    board: Board,
) -> RunReport:
    recipe, here, loss, stopped_by = state.recipe, state.here, None, 0
    checkpoints = Checkpoints(out / "checkpoints", recipe.checkpoint.keep)
    progress.begin((steps - state.step) * recipe.photos_a_step)
    clock = Clock(recipe.photos_a_step, _step_share(state))
    told = out / "metrics.jsonl" if here.leads else None
    with stop_noted() as stop, Metrics(told, state.step) as metrics:
        while state.step < steps and not stopped_by:
            batch, replayed, positions = next(batches)
            clock.data_came()
            rate = share_of_rate(state.step, steps, recipe.schedule.warmup, recipe.schedule.cooldown)
            done = train_step(state, batch, replayed, rate)
            # Every process learns of a signal that one of them got: all stop after the same step.
            loss, replay_loss, stopping = here.mean([done.loss, done.replay_loss, float(stop())])
            stopped_by = (stop() or signal.SIGTERM) if stopping else 0
            state.step, state.positions = state.step + 1, positions
            _see_finite(loss + replay_loss, state.step)
            line = _line(state, Stepped(loss, replay_loss, done.norm), rate) | clock.step_done(steps - state.step)
            found_best = False
            if validation and (state.step % validation.every == 0 or state.step == steps):
                found_best = _evaluate(state, validation, line, progress)
            metrics.write(line)
            board.write(line)
            progress.advance(recipe.photos_a_step)
            if clock.sentence_due():
                progress.say(_sentence(line, steps))
            if found_best or state.step % recipe.checkpoint.every == 0 or state.step == steps or stopped_by:
                checkpoint = state.checkpoint()
                if here.leads:
                    checkpoints.save(checkpoint)
            clock.go_on()
    checkpoints.finish()
    if here.leads:
        write_plot(out)
    here.wait()
    return RunReport(state.step, steps, loss, checkpoints.path(state.step), stopped_by, state.best)


def _see_finite(loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise UsageError(
            f"The loss is {loss} at step {step:,}; lower optimizer.lr or set optimizer.grad_clip_norm, and begin anew."
        )


def _step_share(state: TrainerState) -> float | None:
    """Seconds that a step would take if the devices did nothing but the model's arithmetic, at their peak."""
    recipe, device = state.recipe, state.here.device
    peak = peak_flops(torch.cuda.get_device_name(device)) if device.type == "cuda" else None
    each = training_flops(state.initial.model_cfg, recipe.model.frozen)
    return None if peak is None or each is None else recipe.photos_a_step * each / (peak * state.here.size)


def _line(state: TrainerState, done: Stepped, rate: float) -> dict[str, Any]:
    replay = {} if state.recipe.replay is None else {"replay_loss": done.replay_loss}
    return {
        "step": state.step,
        "epoch": state.positions[0].epoch,
        "loss": done.loss,
        **replay,
        "lr": state.recipe.optimizer.lr * rate,
        "logit_scale": float(whole(state.model.logit_scale.detach()).exp()),
        "grad_norm": done.norm,
    }


def _evaluate(state: TrainerState, validation: Validation, line: dict[str, Any], progress: Progress) -> bool:
    """Put the accuracy into the step's line; whether it is the best so far."""
    # All go by the first process's figure: on their own they might disagree, and wait for each other.
    line["zero_shot"] = accuracy = state.here.all(validation.accuracy(state))[0]
    progress.say(f"step {state.step:,}: {accuracy:.1%} of {len(validation.numbers):,} photos named rightly, zero-shot")
    if state.best is not None and accuracy <= state.best[1]:
        return False
    state.best = (state.step, accuracy)
    return True


def _sentence(line: Mapping[str, Any], steps: int) -> str:
    """“step 120 of 1,100: loss 2.310, 512 photos/s, 3% of the time waiting for data, MFU 41%, 12 min left”."""
    mfu = f", MFU {line['mfu']:.0%}" if "mfu" in line else ""
    return (
        f"step {line['step']:,} of {steps:,}: loss {line['loss']:.3f}, {line['samples_per_second']:,.0f} photos/s, "
        f"{line['data_wait']:.0%} of the time waiting for data{mfu}, {duration(line['seconds_left'])} left"
    )
