"""Is our training step as fast as that of open_clip's own trainer, each at the largest batch that fits?

    python benchmarks/trainer.py                                   # bioclip's model on a GPU, less than 8 minutes
    python benchmarks/trainer.py --recipe painted --device cpu --most 32 --seconds 5     # a proof without a GPU

Both trainers get the recipe's model with random weights, its precision and its checkpointing, and batches of
noise that lie in memory: a step is what is measured, not the decoding (benchmarks of that are elsewhere). Ours is
`training.step.train_step`, theirs `open_clip_train.train.train_one_epoch`, as they are. The batch is doubled from
--least on until the memory is full, or --most is reached. Ours hands over bytes and normalises on the device, theirs
normalised float32, as in their real runs. Trainers take turns at the largest batch that both hold, twice, in
the order ours, theirs, theirs, ours.

Prints one JSON object a line: `kind` is batch (one step of doubling), speed (photos a second, MFU, peak of memory), or
result (ours over theirs, at the common batch and each at its own).
"""

import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import click
import torch

from training.data import Batch
from training.distributed import World, world
from training.flops import peak_flops, training_flops
from training.initial import Initial, initial_model
from training.plan import Position
from training.run_recipe import RunRecipe, load_run_recipe
from training.state import first_state
from training.step import train_step

_WARM_UP = 2  # steps that are not measured: memory is asked for, kernels are chosen

Trainer = Callable[[int, Callable[[], bool]], None]
"""Trains on batches of so many photos, as long as a function says so before each step."""


@click.command()
@click.option("--recipe", "name", default="bioclip", show_default=True, help="A TOML file, or one that is shipped.")
@click.option("--device", default="auto", show_default=True)
@click.option("--least", default=1024, show_default=True, help="The batch to begin with.")
@click.option("--most", default=32_768, show_default=True, help="The largest batch to try.")
@click.option("--seconds", default=35.0, show_default=True, help="For each of the measurements; there are at most 6.")
@click.option("--precision", default=None, help="Instead of the recipe's.")
@click.option("--compile", "compiled", is_flag=True, help="Also compile the model, of both trainers.")
def main(name: str, device: str, least: int, most: int, seconds: float, precision: str | None, compiled: bool) -> None:
    """Measure and print."""
    recipe = _without_data(load_run_recipe(name), precision, compiled)
    with world(device) as here:
        flops = training_flops(initial_model(recipe).model_cfg, recipe.model.frozen)
        peak = peak_flops(_name(here))
        _tell("setting", recipe=name, precision=recipe.training.precision, device=_name(here), torch=torch.__version__)
        trainers: dict[str, Trainer] = {"ours": _ours(recipe, here), "theirs": _theirs(recipe, here)}
        largest = {who: _largest(who, trainer, here, min(least, most), most) for who, trainer in trainers.items()}
        if not all(largest.values()):
            raise click.ClickException(f"Not even a batch of {min(least, most):,} fits; give a smaller --least.")

        def speed(who: str, rows: int) -> float:
            measured = _speed(trainers[who], rows, here, seconds)
            mfu = None if flops is None or peak is None else round(measured * flops / peak, 4)
            _tell("speed", trainer=who, batch=rows, samples_per_second=round(measured, 2), mfu=mfu, peak_gib=_gib(here))
            return measured

        common = min(largest.values())
        turns = [(who, speed(who, common)) for who in ("ours", "theirs", "theirs", "ours")]
        mean = {who: sum(one for by, one in turns if by == who) / 2 for who in trainers}
        best = {who: speed(who, rows) if rows > common else mean[who] for who, rows in largest.items()}
        _tell(
            "result",
            batch=common,
            ours_over_theirs=round(mean["ours"] / mean["theirs"], 3),
            largest=largest,
            each_at_its_largest=round(best["ours"] / best["theirs"], 3),
        )


def _tell(kind: str, **values: Any) -> None:
    print(json.dumps({"kind": kind, **values}), flush=True)


def _name(here: World) -> str:
    return torch.cuda.get_device_name(here.device) if here.device.type == "cuda" else here.device.type


def _gib(here: World) -> float | None:
    return round(torch.cuda.max_memory_allocated() / 2**30, 2) if here.device.type == "cuda" else None


def _without_data(recipe: RunRecipe, precision: str | None, compiled: bool) -> RunRecipe:
    """Random weights of the same architecture and activation; no micro-batches, no replay, no mean weights."""
    import open_clip

    model = recipe.model
    if model.architecture is not None:
        config = open_clip.get_model_config(model.architecture)
        weights = open_clip.get_pretrained_cfg(model.architecture, model.pretrained) if model.pretrained else {}
        quick = bool(weights.get("quick_gelu", config.get("quick_gelu", False)))
        model = replace(model, architecture=None, pretrained=None, config=config | {"quick_gelu": quick})
    training = replace(
        recipe.training,
        micro_batch=None,
        ema_decay=None,
        compile=compiled,
        precision=precision or recipe.training.precision,
    )
    return replace(recipe, model=model, training=training, replay=None, evaluation=None)


def _noise(initial: Initial, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 [rows, 3, size, size] and int64 [rows, context]."""
    some, side, random = min(rows, 256), initial.preprocessing.size, torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (some, 3, side, side), dtype=torch.uint8, generator=random)
    tokens = torch.randint(1, 40_000, (some, initial.tokenizer(["a"]).shape[1]), generator=random)
    times = -(-rows // some)
    return pixels.repeat(times, 1, 1, 1)[:rows], tokens.repeat(times, 1)[:rows]


def _pinned(here: World, *tensors: torch.Tensor) -> list[torch.Tensor]:
    return [one.pin_memory() if here.device.type == "cuda" else one for one in tensors]


def _ours(recipe: RunRecipe, here: World) -> Trainer:
    def run(rows: int, more: Callable[[], bool]) -> None:
        initial = initial_model(recipe)
        state = first_state(recipe, initial, (), here)
        pixels, tokens = _pinned(here, *_noise(initial, rows))
        batch = Batch(pixels, tokens, torch.arange(rows)[:, None].repeat(1, 2), (Position(),))
        while more():
            train_step(state, batch, None, 0.1)

    return run


def _theirs(recipe: RunRecipe, here: World) -> Trainer:
    """Their epoch over a loader that hands out the same batch; optimiser, scaler and switches as in their main."""
    from open_clip import ClipLoss
    from open_clip_train.train import train_one_epoch

    def run(rows: int, more: Callable[[], bool]) -> None:
        initial = initial_model(recipe)
        model = first_state(recipe, initial, (), here).model
        pixels, tokens = _noise(initial, rows)
        batch = _pinned(here, pixels.float().div_(255).sub_(0.5), tokens)
        part, parameters = recipe.optimizer, [one for one in model.parameters() if one.requires_grad]
        optimizer = torch.optim.AdamW(
            [
                {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0},
                {"params": [one for one in parameters if one.ndim >= 2], "weight_decay": part.wd},
            ],
            lr=part.lr * 0.1,
            betas=(part.beta1, part.beta2),
            eps=part.eps,
        )
        scaler = torch.amp.GradScaler(here.device.type) if recipe.training.precision == "amp" else None
        data = {"train": SimpleNamespace(dataloader=_Loader(batch, more), set_epoch=lambda _: None)}
        args = _arguments(recipe, here, rows)
        train_one_epoch(model, data, ClipLoss(), 0, optimizer, scaler, None, None, args)

    return run


class _Loader:
    num_batches = num_samples = 10**9  # so that the epoch has no end of its own

    def __init__(self, batch: list[torch.Tensor], more: Callable[[], bool]) -> None:
        self._batch = batch
        self._more = more

    def __iter__(self) -> Iterator[list[torch.Tensor]]:
        while self._more():
            yield self._batch


def _arguments(recipe: RunRecipe, here: World, rows: int) -> SimpleNamespace:
    return SimpleNamespace(
        device=str(here.device),
        precision=recipe.training.precision,
        grad_clip_norm=recipe.optimizer.grad_clip_norm,
        batch_size=rows,
        accum_freq=1,
        distill=False,
        skip_scheduler=True,
        horovod=False,
        world_size=1,
        rank=0,
        log_every_n_steps=10**9,
        wandb=False,
    )


def _largest(who: str, trainer: Trainer, here: World, rows: int, most: int) -> int:
    """The largest batch that fits, by doubling; 0 if none does."""
    fits = 0
    while rows <= most:
        left = _WARM_UP + 1

        def more() -> bool:
            nonlocal left
            left -= 1
            return left >= 0

        if not _attempt(trainer, rows, here, more):
            _tell("batch", trainer=who, batch=rows, fits=False)
            break
        _tell("batch", trainer=who, batch=rows, fits=True, peak_gib=_gib(here))
        fits, rows = rows, rows * 2
    return fits


def _attempt(trainer: Trainer, rows: int, here: World, more: Callable[[], bool]) -> bool:
    """Whether the memory was enough; nothing of it is left taken."""
    _clear(here)
    try:
        trainer(rows, more)
        _wait(here)
    except torch.OutOfMemoryError:
        return False
    return True


def _speed(trainer: Trainer, rows: int, here: World, seconds: float) -> float:
    """Photos a second over as many steps as go into so many seconds, at least three."""
    marks: list[float] = []
    wanted = 3

    def more() -> bool:
        nonlocal wanted
        step = len(marks)
        # Kernels run behind the program's back: it waits for them only where the watch is read.
        if step in (_WARM_UP, _WARM_UP + 1, _WARM_UP + 1 + wanted):
            _wait(here)
        marks.append(time.perf_counter())
        if step == _WARM_UP + 1:
            wanted = max(wanted, int(seconds / (marks[-1] - marks[-2])))
        return step < _WARM_UP + 1 + wanted

    if not _attempt(trainer, rows, here, more):
        raise click.ClickException(f"A batch of {rows:,} fitted before and does not now; is the device shared?")
    return wanted * rows / (marks[-1] - marks[_WARM_UP + 1])


def _wait(here: World) -> None:
    if here.device.type == "cuda":
        torch.cuda.synchronize()


def _clear(here: World) -> None:
    gc.collect()
    if here.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    main()
