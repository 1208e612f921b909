"""The learning rate over the steps, and which parameters get how much of it."""

import math
from typing import Any

import torch

from training.layers import layers_of
from training.learning_parts import OptimizerPart

__all__ = ["adamw", "share_of_rate"]


def share_of_rate(step: int, steps: int, warmup: int, cooldown: int | None = None) -> float:
    """Share of the full learning rate at a step: a linear warm-up, then half a cosine to nearly 0.

    With a `cooldown` the rate stays full until so many steps before the end, and falls from there by
    1 − √ (“WSD”; Hägele et al. 2024, “Scaling laws and compute-optimal training beyond fixed durations”).
    """
    if step < warmup:
        return (step + 1) / warmup
    if cooldown is None:
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
    past = step - (steps - cooldown)
    return 1.0 if past < 0 else 1 - math.sqrt((past + 1) / (cooldown + 1))


def adamw(model: torch.nn.Module, part: OptimizerPart) -> torch.optim.AdamW:
    """AdamW over all that is trained; each group keeps its full rate as `full_lr`.

    Gains, biases, the logit scale and bias (all that is no matrix) do not decay.
    """
    above = layers_of(model) if part.layer_decay else {}
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = _factor(name, part) * (part.layer_decay or 1.0) ** above.get(name, 0)
            groups.setdefault((factor, parameter.ndim >= 2), []).append(parameter)
    described: list[dict[str, Any]] = [
        {"params": parameters, "full_lr": part.lr * factor, "weight_decay": part.wd if decays else 0.0}
        for (factor, decays), parameters in groups.items()
    ]
    # One kernel for all parameters; on the CPU it would change the last digit for no gain.
    fused = next(model.parameters()).device.type == "cuda"
    return torch.optim.AdamW(described, lr=part.lr, betas=(part.beta1, part.beta2), eps=part.eps, fused=fused or None)


def _factor(name: str, part: OptimizerPart) -> float:
    if name.startswith("visual."):
        return part.image_lr_factor
    return 1.0 if name in ("logit_scale", "logit_bias") else part.text_lr_factor
