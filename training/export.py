"""Write a trained model as a folder that open_clip and the indexer load."""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

from bioclip_search.preprocessing import CLIP_MEAN, CLIP_STD

__all__ = ["export_model", "neutralise_unseen_tokens"]


def neutralise_unseen_tokens(model: Any, texts: list[str], tokenizer: open_clip.SimpleTokenizer) -> int:
    """Give every token that occurs in none of the texts the mean of those that do; returns how many do.

    An untrained embedding is noise that would throw a query with one unknown word off its course.
    """
    seen = torch.unique(tokenizer(texts))
    weights = model.token_embedding.weight
    with torch.no_grad():
        unseen = torch.ones(len(weights), dtype=torch.bool)
        unseen[seen] = False
        weights[unseen] = weights[seen].mean(dim=0)
    return len(seen)


def export_model(model: Any, model_cfg: dict[str, Any], folder: Path) -> None:
    """Write `open_clip_config.json` and float16 weights; normalisation, interpolation and squash are said."""
    folder.mkdir(parents=True, exist_ok=True)
    preprocess = {
        "mean": list(CLIP_MEAN),
        "std": list(CLIP_STD),
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess}
    halved = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }
    # Written aside and renamed: stopped at any moment, no file is half one model and half another.
    weights = folder / "open_clip_model.safetensors.part"
    save_file(halved, weights)
    weights.chmod(0o644)  # safetensors writes for the owner alone; the folder is made to be copied
    described = folder / "open_clip_config.json.part"
    described.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for written in (weights, described):
        written.replace(written.with_suffix(""))
