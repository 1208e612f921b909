"""How deep in its tower a parameter lies, by the names that open_clip's towers give their layers."""

import re
from collections.abc import Iterable

__all__ = ["layers_above"]

# VisionTransformer and TextTransformer, timm's, ModifiedResNet (which counts from 1), Hugging Face's.
_NUMBERED = re.compile(r"(?:^|\.)(?:resblocks\.|blocks\.|layer|layer\.)(\d+)\.")
_STEM = re.compile(
    r"class_embedding|positional_embedding|token_embedding|embeddings\.|ln_pre|patch_embed|pos_embed|cls_token"
    r"|^visual\.(conv|bn)\d"
)


def layers_above(names: Iterable[str]) -> dict[str, int]:
    """By parameter: the layers between it and the tower's output; 0 for norms and projections after the last one.

    What comes before the first layer lies below all of them. The logit scale and bias are left out; a tower
    whose layers have no numbers is at 0 throughout.
    """
    towers: dict[bool, dict[str, int | None]] = {True: {}, False: {}}
    for name in names:
        if name not in ("logit_scale", "logit_bias"):
            number = _NUMBERED.search(name)
            towers[name.startswith("visual.")][name] = int(number[1]) if number else None
    return {name: depth for tower in towers.values() for name, depth in _above(tower).items()}


def _above(tower: dict[str, int | None]) -> dict[str, int]:
    numbers = sorted({number for number in tower.values() if number is not None})
    place = {number: len(numbers) - at for at, number in enumerate(numbers)}
    bottom = len(numbers) + 1 if numbers else 0
    return {
        name: place[number] if number is not None else bottom if _STEM.search(name) else 0
        for name, number in tower.items()
    }
