"""What turns photos into features: a model, the same kind of model with random weights, or nothing but pixels."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from bioclip_search.embedder import Embedder, Features
from bioclip_search.errors import UsageError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.photo import open_photo

if TYPE_CHECKING:
    import torch

__all__ = ["RAW_PIXELS", "Encoder", "ModelEncoder", "RawPixels", "baseline", "random_model"]

RAW_PIXELS = "raw-pixels"
_RANDOM = "random:"
_PIXELS_SIDE = 32


class Encoder(Protocol):
    """`name` is shown; `identity` changes whenever features would; `fingerprint` is a model's, if it is one."""

    name: str
    identity: str
    dim: int
    fingerprint: Fingerprint | None

    def prepare(self, data: bytes, name: str) -> npt.NDArray[np.uint8]:
        """Decode the bytes of a photo to the pixels that are asked for. Raises PhotoError. Called in threads."""

    def encode(self, pixels: npt.NDArray[np.uint8]) -> Features:
        """uint8 [n, side, side, 3] -> float32 [n, dim]."""


class ModelEncoder:
    """A model, as the indexer uses it: features are of unit length."""

    def __init__(self, model: Embedder, name: str) -> None:
        self.model = model
        self.name = name
        self.dim = model.dim
        self.fingerprint: Fingerprint | None = model.fingerprint
        made_by = (model.fingerprint.architecture, model.fingerprint.preprocessing, model.fingerprint.weights_sha256)
        self.identity = "\0".join((*made_by, str(model.dtype)))

    def prepare(self, data: bytes, name: str) -> npt.NDArray[np.uint8]:
        preprocessing = self.model.preprocessing
        return preprocessing.apply(open_photo(data, preprocessing.size, name).image)

    def encode(self, pixels: npt.NDArray[np.uint8]) -> Features:
        return self.model.encode_pixels(pixels)


class RawPixels:
    """The colours of the photo at 32 × 32 pixels, from 0 to 1: what any model should surpass."""

    name = RAW_PIXELS
    identity = f"{RAW_PIXELS} {_PIXELS_SIDE}"
    dim = 3 * _PIXELS_SIDE**2
    fingerprint: Fingerprint | None = None

    def prepare(self, data: bytes, name: str) -> npt.NDArray[np.uint8]:
        image = open_photo(data, _PIXELS_SIDE, name).image
        return np.asarray(image.resize((_PIXELS_SIDE, _PIXELS_SIDE), Image.Resampling.BICUBIC))

    def encode(self, pixels: npt.NDArray[np.uint8]) -> Features:
        return pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)


def baseline(name: str, seed: int, device: "torch.device") -> Encoder:
    """“raw-pixels”, or “random:ARCHITECTURE” as open_clip calls it. Raises UsageError or ModelUnavailable."""
    if name == RAW_PIXELS:
        return RawPixels()
    if name.startswith(_RANDOM):
        return ModelEncoder(random_model(name.removeprefix(_RANDOM), seed, device), name)
    raise UsageError(f"There is no baseline “{name}”; use {RAW_PIXELS}, or {_RANDOM}ViT-B-16 with any architecture.")


def random_model(architecture: str, seed: int, device: "torch.device") -> Embedder:
    """A model with its first, random weights, which follow from the seed. Raises ModelUnavailable."""
    import torch

    from training.initial import initial_model
    from training.learning_parts import ModelPart, OptimizerPart, SchedulePart, TrainingPart
    from training.run_recipe import RunRecipe

    recipe = RunRecipe(
        model=ModelPart(architecture=architecture),
        optimizer=OptimizerPart(lr=1.0),
        schedule=SchedulePart(steps=1),
        training=TrainingPart(batch_size=2),
        seed=seed,
    )
    with torch.random.fork_rng(), _without_warning():
        initial = initial_model(recipe)
    preprocessing = initial.preprocessing
    fingerprint = Fingerprint(
        f"{_RANDOM}{architecture}", architecture, _dim(initial.model_cfg), preprocessing.id, f"random weights {seed}"
    )
    model = initial.model.to(device).eval().requires_grad_(False)
    return Embedder(model, initial.tokenizer, fingerprint, preprocessing, device, torch.float32)


@contextmanager
def _without_warning() -> Iterator[None]:
    """open_clip warns of random weights, which here are what is asked for."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _dim(model_cfg: dict[str, Any]) -> int:
    return int(model_cfg["embed_dim"])
