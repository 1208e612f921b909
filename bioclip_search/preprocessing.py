"""From an RGB picture to the square of pixels that a model sees, and the name of the way there.

BioCLIP's training pictures were squashed to the square (Stevens et al. 2024; its shard writer
resizes to 224 x 224 whatever the aspect ratio), so `squash` is the default: nothing of a
herbarium sheet is cut off. The choice is part of a catalogue's fingerprint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["CLIP_MEAN", "CLIP_STD", "Fit", "Pixels", "Preprocessing"]

Pixels = npt.NDArray[np.uint8]

# Mean and standard deviation per channel of CLIP's training pictures (Radford et al. 2021).
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

_RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "random": Image.Resampling.BICUBIC,
}


class Fit(StrEnum):
    """How an oblong picture becomes a square."""

    SQUASH = "squash"
    CROP = "crop"
    PAD = "pad"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Side of the square in pixels, the way to fit it, and the normalisation that follows."""

    size: int = 224
    fit: Fit = Fit.SQUASH
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD

    @classmethod
    def from_open_clip(cls, preprocess_cfg: Mapping[str, Any], size: int, fit: Fit) -> "Preprocessing":
        """Read the `preprocess_cfg` of an open_clip model; what it leaves out is CLIP's own."""
        return cls(
            size=size,
            fit=fit,
            interpolation=str(preprocess_cfg.get("interpolation") or "bicubic"),
            mean=tuple(float(value) for value in preprocess_cfg.get("mean") or CLIP_MEAN),
            std=tuple(float(value) for value in preprocess_cfg.get("std") or CLIP_STD),
        )

    @property
    def id(self) -> str:
        """All that decides about the pixels, in one word: “squash-224-bicubic-mean0.481,…-std0.269,…”."""
        mean = ",".join(f"{value:.4g}" for value in self.mean)
        std = ",".join(f"{value:.4g}" for value in self.std)
        return f"{self.fit}-{self.size}-{self.interpolation}-mean{mean}-std{std}"

    @property
    def resampling(self) -> Image.Resampling:
        """Pillow's word for the interpolation."""
        return _RESAMPLING.get(self.interpolation, Image.Resampling.BICUBIC)

    def apply(self, image: Image.Image) -> Pixels:
        """Resize an RGB picture to uint8 [size, size, 3]; the embedder normalises."""
        return np.asarray(self._square(image), dtype=np.uint8)

    def _square(self, image: Image.Image) -> Image.Image:
        resampling = self.resampling
        if self.fit is Fit.SQUASH:
            return image.resize((self.size, self.size), resampling)
        width, height = image.size
        if self.fit is Fit.CROP:
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            # Only the box is resized: a panorama would be enormous at the scale of its short side.
            return image.resize((self.size, self.size), resampling, box=(left, top, left + side, top + side))
        scale = self.size / max(width, height)
        scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
        # The mean colour becomes zero in the network: padding that says nothing.
        square = Image.new("RGB", (self.size, self.size), _colour(self.mean))
        square.paste(image.resize(scaled, resampling), ((self.size - scaled[0]) // 2, (self.size - scaled[1]) // 2))
        return square


def _colour(mean: tuple[float, ...]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * value) for value in mean)
    return red, green, blue
