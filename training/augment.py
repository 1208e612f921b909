"""Vary pictures as another photographer would: turned, shifted, nearer, mirrored, lighter, warmer."""

import math

import torch
from torch.nn import functional

__all__ = ["augmented"]


def augmented(pixels: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """uint8 [n, s, s, 3] -> float32 [n, 3, size, size] in 0 to 1, each picture varied by itself."""
    count = len(pixels)

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    turn, zoom_x, zoom_y = uniform(-0.3, 0.3), uniform(0.75, 1.1), uniform(0.75, 1.1)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    rows = [
        torch.stack([torch.cos(turn) * zoom_x * mirror, -torch.sin(turn) * zoom_y, uniform(-0.12, 0.12)], dim=1),
        torch.stack([torch.sin(turn) * zoom_x * mirror, torch.cos(turn) * zoom_y, uniform(-0.12, 0.12)], dim=1),
    ]
    images = pixels.permute(0, 3, 1, 2).float().div_(255)
    grid = functional.affine_grid(torch.stack(rows, dim=1), [count, 3, size, size], align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    gain = uniform(0.8, 1.2)[:, None] * torch.exp(torch.randn(count, 3, generator=generator) * 0.04)
    contrast = uniform(math.log(0.8), math.log(1.2)).exp()[:, None, None, None]
    images = (images - 0.5) * contrast + 0.5
    return (images * gain[:, :, None, None]).clamp_(0, 1)
