"""How much of a device's arithmetic a training uses: the model's operations by formula, the device's by name."""

from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["peak_flops", "training_flops"]

# Dense bfloat16, as the maker's data sheets say, by the name that the driver gives. A part of a device
# (MIG) has another name, so it has no figure here, rather than a wrong one.
_PEAKS = {
    "NVIDIA A10": 125e12,
    "NVIDIA A40": 149.7e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA L4": 121e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA GeForce RTX 4090": 165.2e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA H100 NVL": 835.5e12,
    "NVIDIA H100 80GB HBM3": 989.4e12,
    "NVIDIA GH200 480GB": 989.4e12,
    "NVIDIA H200": 989.4e12,
    "NVIDIA H200 NVL": 835.5e12,
    "NVIDIA B200": 2250e12,
}


def peak_flops(device_name: str) -> float | None:
    """Operations a second of a device in bfloat16, without sparsity; None for one that is not in the table."""
    return _PEAKS.get(device_name)


def training_flops(model_cfg: Mapping[str, Any], frozen: Collection[str] = ()) -> float | None:
    """Operations to train on one pair of a photo and a text; None for towers whose formula is not known here.

    Forward once and backward twice as much (Kaplan et al. 2020); a `frozen` tower, “image” or “text”, goes
    forward only. What is computed a second time to save memory is not counted, as is usual for MFU
    (Chowdhery et al. 2022, appendix B).
    """
    towers = {
        "image": _image(model_cfg["vision_cfg"], model_cfg["embed_dim"]),
        "text": _text(model_cfg["text_cfg"], model_cfg["embed_dim"]),
    }
    total = 0.0
    for name, forward in towers.items():
        if forward is None:
            return None
        total += forward if name in frozen else 3 * forward
    return total


def _image(config: Mapping[str, Any], embed_dim: int) -> float | None:
    layers, known = config.get("layers", 12), not config.get("timm_model_name") and not config.get("attentional_pool")
    if not known or not isinstance(layers, int):
        return None
    width, patch, size = config.get("width", 768), config.get("patch_size", 16), config.get("image_size", 224)
    height_width = size if isinstance(size, list | tuple) else (size, size)
    patches = (height_width[0] // patch) * (height_width[1] // patch)
    seen = max(1, int(patches * (1 - config.get("patch_dropout", 0.0))))
    embedding = 2 * patches * 3 * patch**2 * width
    return float(embedding + layers * _layer(seen + 1, width, config.get("mlp_ratio", 4.0)) + 2 * width * embed_dim)


def _text(config: Mapping[str, Any], embed_dim: int) -> float | None:
    if config.get("hf_model_name"):
        return None
    tokens, width = config.get("context_length", 77) + bool(config.get("embed_cls")), config.get("width", 512)
    layer = _layer(tokens, width, config.get("mlp_ratio", 4.0))
    return float(config.get("layers", 12) * layer + 2 * width * embed_dim)


def _layer(tokens: int, width: int, mlp_ratio: float) -> float:
    """Queries, keys, values and output; scores and weighted sum; the two matrices of the MLP."""
    return 2 * tokens * width**2 * 4 + 4 * tokens**2 * width + 2 * tokens * width * int(width * mlp_ratio) * 2
