"""One step of the optimiser: features, losses, the gradient, the new weights."""

import math
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch

from training.data import Batch
from training.gradient import Features, batch_gradient
from training.objectives import clip_loss, siglip_loss
from training.replay import left_or_right
from training.sharding import local, whole
from training.state import TrainerState

__all__ = ["Stepped", "photo_features", "text_features", "train_step"]

_LOG_SCALE_LIMIT = math.log(100)  # Radford et al. 2021, section 2.5


class Stepped(NamedTuple):
    """The losses of this process's rows, and the norm of the gradient of their sum before it is cut."""

    loss: float
    replay_loss: float
    norm: float


def train_step(state: TrainerState, batch: Batch, replayed: Batch | None, rate: float) -> Stepped:
    """Learn from a batch, and from a replayed one beside it, with a share `rate` of the learning rate."""
    recipe, optimizer, scaler = state.recipe, state.optimizer, state.scaler
    for group in optimizer.param_groups:
        group["lr"] = group["full_lr"] * rate
    optimizer.zero_grad(set_to_none=True)
    # Two losses, each of its own batch alone, whose gradients add up; they are exchanged with the last.
    replay_loss = 0.0
    loss = _backward(state, batch, replayed=False, exchange=replayed is None)
    if replayed is not None:
        replay_loss = _backward(state, replayed, replayed=True, exchange=True)
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), recipe.optimizer.grad_clip_norm or math.inf)
    scaler.step(optimizer)
    scaler.update()
    with torch.no_grad():
        local(state.model.logit_scale).clamp_(0, _LOG_SCALE_LIMIT)
    if state.ema is not None:
        state.ema.update_parameters(state.model)
    return Stepped(loss, replay_loss, float(whole(norm)))


def _backward(state: TrainerState, batch: Batch, *, replayed: bool, exchange: bool) -> float:
    rows = len(batch.tokens)
    # Replayed photos have no taxon that another could share.
    taxa = state.recipe.objective.same_taxon == "positive" and not replayed
    return batch_gradient(
        partial(_features, state, batch, replayed),
        rows,
        state.recipe.training.micro_batch or rows,
        partial(_loss, state, batch.labels.to(state.here.device) if taxa else None),
        lambda scalar: torch.autograd.backward(state.scaler.scale(scalar)),
        state.parallel,
        exchange=exchange,
    )


def _features(state: TrainerState, batch: Batch, replayed: bool, rows: slice) -> Features:
    found = _called(state, batch.pixels[rows], batch.tokens[rows])
    photos = _photos(state, found, replayed=replayed)
    return Features(photos, found["text_features"].float(), found["logit_scale"], found.get("logit_bias"))


def _called(state: TrainerState, pixels: torch.Tensor | None, tokens: torch.Tensor | None) -> Any:
    """What the model gives for uint8 [n, 3, size, size] and int64 [m, context], in the recipe's precision."""
    device, precision = state.here.device, state.recipe.training.precision
    half = {"amp": torch.float16, "amp_bf16": torch.bfloat16}.get(precision)
    images = None if pixels is None else _normalised(state, pixels.to(device, non_blocking=True))
    tokens = None if tokens is None else tokens.to(device, non_blocking=True)
    with nullcontext() if half is None else torch.autocast(device.type, half):
        return state.parallel(images, tokens)


def _normalised(state: TrainerState, pixels: torch.Tensor) -> torch.Tensor:
    mean, std = (
        torch.tensor(values, device=pixels.device).view(1, 3, 1, 1)
        for values in (state.initial.preprocessing.mean, state.initial.preprocessing.std)
    )
    images = (pixels.float() / 255 - mean) / std
    return images.bfloat16() if state.recipe.training.precision == "pure_bf16" else images


def _photos(state: TrainerState, found: Any, *, replayed: bool) -> torch.Tensor:
    photos: torch.Tensor = found["image_features"].float()
    return photos if state.recipe.replay is None else left_or_right(photos, replayed=replayed)


def photo_features(state: TrainerState, pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [n, 3, size, size] -> unit length float32 [n, dim], without a gradient."""
    with torch.no_grad():
        return _photos(state, _called(state, pixels, None), replayed=False)


def text_features(state: TrainerState, tokens: torch.Tensor) -> torch.Tensor:
    """int64 [n, context] -> unit length float32 [n, dim], without a gradient."""
    with torch.no_grad():
        features: torch.Tensor = _called(state, None, tokens)["text_features"].float()
        return features


def _loss(state: TrainerState, labels: torch.Tensor | None, found: Features) -> torch.Tensor:
    first = state.here.rank * len(found.images)
    if state.recipe.objective.loss == "siglip":
        if found.bias is None:
            raise RuntimeError("a model for the SigLIP loss has a bias")
        return siglip_loss(found.images, found.texts, found.scale, found.bias, labels, first)
    return clip_loss(found.images, found.texts, found.scale, labels, first)
