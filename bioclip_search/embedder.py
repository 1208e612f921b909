"""The model that turns pictures and texts into embeddings.

The only owner of open_clip outside the trainer. torch and open_clip are imported when a model
is loaded, not before.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bioclip_search.errors import InvalidModel, UsageError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.models import DEFAULT_MODEL, ModelFiles, locate_model
from bioclip_search.preprocessing import Fit, Pixels, Preprocessing
from bioclip_search.vectors import unit

if TYPE_CHECKING:
    import torch

__all__ = ["DEVICES", "DTYPES", "Embedder", "Features"]

Features = npt.NDArray[np.float32]

DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = ("auto", "float32", "bfloat16", "float16")

_TEXTS_AT_ONCE = 256


class Embedder:
    """A loaded model; `encode_*` return unit-length float32 features [n, dim]."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        fingerprint: Fingerprint,
        preprocessing: Preprocessing,
        device: "torch.device",
        dtype: "torch.dtype",
    ) -> None:
        self.fingerprint = fingerprint
        self.preprocessing = preprocessing
        self.device = device
        self.dtype = dtype
        self._model = model
        self._tokenizer = tokenizer
        self._mean = _channels(preprocessing.mean, device)
        self._std = _channels(preprocessing.std, device)

    @classmethod
    def load(
        cls, name: str = DEFAULT_MODEL, *, device: str = "auto", dtype: str = "auto", fit: Fit = Fit.SQUASH
    ) -> "Embedder":
        """Load a model by name (see `locate_model`).

        `device` is one of DEVICES, or “cuda:1” for the second card; `dtype` is one of DTYPES.
        Raises ModelUnavailable, InvalidModel, or UsageError for a device that this computer does not have.
        """
        if dtype not in DTYPES:
            raise UsageError(f"There is no dtype “{dtype}”; use one of {', '.join(DTYPES)}.")
        files = locate_model(name)
        import torch

        place = _device(device)
        number = getattr(torch, dtype) if dtype != "auto" else _fastest_dtype(place)
        model, tokenizer = _load_open_clip(files)
        model = model.to(device=place, dtype=number).eval().requires_grad_(False)
        return cls(model, tokenizer, files.fingerprint(fit), files.preprocessing(fit), place, number)

    @property
    def dim(self) -> int:
        return self.fingerprint.dim

    def encode_pixels(self, pixels: Pixels | Features) -> Features:
        """uint8 [n, size, size, 3], as `Preprocessing.apply` makes them -> float32 [n, dim].

        float32 of the same range, 0 to 255, is taken too.

        A batch that the device has no memory for is done in halves.
        """
        import torch

        if len(pixels) == 0:
            return np.empty((0, self.dim), dtype=np.float32)
        try:
            with torch.inference_mode():
                batch = self._to_device(torch.from_numpy(np.ascontiguousarray(pixels)))
                batch = batch.permute(0, 3, 1, 2).to(torch.float32).div(255).sub_(self._mean).div_(self._std)
                return self._unit(self._model.encode_image(batch.to(self.dtype)))
        except torch.OutOfMemoryError:
            if len(pixels) == 1:
                raise
        middle = len(pixels) // 2
        return np.concatenate([self.encode_pixels(pixels[:middle]), self.encode_pixels(pixels[middle:])])

    def _to_device(self, batch: "torch.Tensor") -> "torch.Tensor":
        if self.device.type != "cuda":
            return batch.to(self.device)
        return batch.pin_memory().to(self.device, non_blocking=True)

    def encode_images(self, images: Sequence[Image.Image]) -> Features:
        """RGB pictures of any size -> float32 [n, dim]."""
        if not images:
            return np.empty((0, self.dim), dtype=np.float32)
        return self.encode_pixels(np.stack([self.preprocessing.apply(image) for image in images]))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """Texts, as they are -> float32 [n, dim]."""
        import torch

        parts = [np.empty((0, self.dim), dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                tokens = self._tokenizer(list(texts[start : start + _TEXTS_AT_ONCE])).to(self.device)
                parts.append(self._unit(self._model.encode_text(tokens)))
        return np.concatenate(parts)

    def encode_names(self, names: Sequence[str]) -> Features:
        """Names of taxa or classes -> float32 [n, dim]: the mean over the 80 templates of CLIP.

        As in the zero-shot evaluation of BioCLIP: each text's features are made unit length before
        they are averaged, and the mean is made unit length again (Radford et al. 2021, section 3.1.4).
        """
        import open_clip

        templates = open_clip.OPENAI_IMAGENET_TEMPLATES
        means = [np.empty((0, self.dim), dtype=np.float32)]
        for name in names:
            mean = self.encode_texts([template(name) for template in templates]).mean(axis=0, keepdims=True)
            means.append(unit(mean))
        return np.concatenate(means)

    @property
    def logit_scale(self) -> float:
        """By what the model multiplies cosines to get logits: exp of its trained parameter, at most 100."""
        return float(self._model.logit_scale.detach().exp())

    @staticmethod
    def _unit(features: Any) -> Features:
        if isinstance(features, tuple):
            features = features[0]  # models with a second projection put the contrastive one first
        array = features.float()
        array = array / array.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        result: Features = array.cpu().numpy()
        return result


def _channels(values: tuple[float, ...], device: "torch.device") -> "torch.Tensor":
    import torch

    return torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)


def _device(wanted: str) -> "torch.device":
    import torch

    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        wanted = next(name for name in ("cuda", "mps", "cpu") if has[name])
    kind = wanted.partition(":")[0]  # “cuda:1” is the second card
    if not has.get(kind) or (kind == "cuda" and (torch.device(wanted).index or 0) >= torch.cuda.device_count()):
        there = ", ".join(name for name, found in has.items() if found)
        raise UsageError(f"This computer has no usable device “{wanted}”; use auto or one of: {there}.")
    return torch.device(wanted)


def _fastest_dtype(device: "torch.device") -> "torch.dtype":
    """bfloat16 where the hardware multiplies it natively, else float32 (float16 on older CUDA cards)."""
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    """AMX or AVX512-BF16, as torch detects them."""
    import torch

    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)


def _load_open_clip(files: ModelFiles) -> tuple[Any, Any]:
    import open_clip

    try:
        model = open_clip.create_model(f"local-dir:{files.folder}", precision="fp32", device="cpu")
        tokenizer = open_clip.get_tokenizer(f"local-dir:{files.folder}")
    except Exception as error:
        # open_clip, torch and safetensors raise a dozen kinds for a file that is cut off or does not fit.
        logging.getLogger(__name__).debug("loading %s failed", files.folder, exc_info=True)
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InvalidModel(
            f"The model in {files.folder} cannot be loaded ({reason}); copy it again, or delete the folder "
            "to have it downloaded anew."
        ) from error
    return model, tokenizer
