"""The learning rate over the steps, and which parameters get how much of it."""

import math
from typing import Any

import torch

from training.run_recipe import OptimizerPart

__all__ = ["adamw", "share_of_rate"]


def share_of_rate(step: int, steps: int, warmup: int) -> float:
    """Share of the full learning rate at a step: a linear warm-up, then half a cosine to nearly 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def adamw(model: torch.nn.Module, part: OptimizerPart) -> torch.optim.AdamW:
    """AdamW over all that is trained; each group keeps its full rate as `full_lr`.

    Gains, biases, the logit scale and bias (all that is no matrix) do not decay.
    """
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((_factor(name, part), parameter.ndim >= 2), []).append(parameter)
    described: list[dict[str, Any]] = [
        {"params": parameters, "full_lr": part.lr * factor, "weight_decay": part.wd if decays else 0.0}
        for (factor, decays), parameters in groups.items()
    ]
    return torch.optim.AdamW(described, lr=part.lr, betas=(part.beta1, part.beta2), eps=part.eps)


def _factor(name: str, part: OptimizerPart) -> float:
    if name.startswith("visual."):
        return part.image_lr_factor
    return 1.0 if name in ("logit_scale", "logit_bias") else part.text_lr_factor
