"""Train a CLIP on painted specimens: model, optimiser, schedule, loop, in the order they run."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import open_clip
import torch

from bioclip_search.preprocessing import CLIP_MEAN, CLIP_STD
from training.augment import augmented
from training.captions import Caption, Captioner
from training.loss import multi_positive_loss
from training.painted import PaintedSet
from training.recipe import Recipe

__all__ = ["learning_rate", "parameter_groups", "train", "truth_matrix"]

_LOG_SCALE_LIMIT = math.log(100)  # Radford et al. 2021, section 2.5


def train(recipe: Recipe, painted: PaintedSet, captioner: Captioner, progress: Callable[[int, float], None]) -> Any:
    """Train for the recipe's steps and return the open_clip model in evaluation mode.

    The recipe's seed decides weights, order, captions and augmentation. `progress` is told the step
    and its loss.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    model = open_clip.CLIP(**recipe.model).to(memory_format=torch.channels_last)
    tokenizer = open_clip.SimpleTokenizer(context_length=recipe.model["text_cfg"]["context_length"])
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    optimizer = torch.optim.AdamW(
        parameter_groups(model, recipe.wd), lr=recipe.lr, betas=(recipe.beta1, recipe.beta2), eps=recipe.eps
    )
    model.train()
    order = np.empty(0, dtype=np.int64)
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        if len(order) < recipe.global_batch_size:
            order = np.concatenate([order, rng.permutation(len(painted.species))])
        batch, order = order[: recipe.global_batch_size], order[recipe.global_batch_size :]
        captions = [captioner.draw(int(painted.species[i]), painted.styles[i], rng) for i in batch]
        images = augmented(torch.from_numpy(painted.pixels[batch]), recipe.image_size, generator)
        images = ((images - mean) / std).contiguous(memory_format=torch.channels_last)
        tokens = tokenizer([caption.text for caption in captions])
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "amp_bf16"):
            image_features = model.encode_image(images, normalize=True)
            text_features = model.encode_text(tokens, normalize=True)
        truth = truth_matrix(painted, batch, captions)
        loss = multi_positive_loss(image_features.float(), text_features.float(), model.logit_scale.exp(), truth)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, _LOG_SCALE_LIMIT)
        progress(step, float(loss.detach()))
    return model.eval()


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then half a cosine down to nearly 0 at the last step."""
    if step < recipe.warmup:
        return recipe.lr * (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * share))


def parameter_groups(model: torch.nn.Module, wd: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels; none for gains, biases and logit_scale."""
    decayed: list[torch.nn.Parameter] = []
    free: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        (decayed if parameter.ndim >= 2 else free).append(parameter)
    return [{"params": decayed, "weight_decay": wd}, {"params": free, "weight_decay": 0.0}]


def truth_matrix(painted: PaintedSet, batch: np.ndarray, captions: list[Caption]) -> torch.Tensor:
    """bool [n, n]: whether caption j is true of the photo at place i of the batch."""
    species = painted.species[batch]
    styles = np.array([painted.styles[i] for i in batch])
    columns = [
        np.isin(species, list(caption.species)) & ((styles == caption.style) | (caption.style is None))
        for caption in captions
    ]
    return torch.from_numpy(np.stack(columns, axis=1))
