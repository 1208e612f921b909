"""How deep in its tower a parameter lies: by the names that open_clip gives layers, or the groups that timm makes."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from training.tables import fault

__all__ = ["layers_above", "layers_of"]

# VisionTransformer and TextTransformer; ModifiedResNet, which counts from 1.
_NUMBERED = re.compile(r"(?:^|\.)(?:resblocks\.|layer)(\d+)\.")
_STEM = re.compile(r"class_embedding|positional_embedding|token_embedding|ln_pre|^visual\.(conv|bn)\d")
_TRUNK = "visual.trunk."
_HEAD = "~"  # is no parameter's name


def layers_of(model: Any) -> dict[str, int]:
    """`layers_above` for the parameters of a model of open_clip's, with a tower of timm's perhaps.

    Raises UsageError for a tower of timm's that is not made of groups.
    """
    names = [name for name, _ in model.named_parameters()]
    trunk = getattr(model.visual, "trunk", None)
    own = layers_above(name for name in names if trunk is None or not name.startswith("visual."))
    if trunk is None:
        return own
    groups = _timm_groups(trunk)
    head = groups[_HEAD]
    return own | {
        name: head - groups.get(name.removeprefix(_TRUNK), head) for name in names if name.startswith("visual.")
    }


def _timm_groups(trunk: Any) -> dict[str, int]:
    """By parameter, the number of its group from the stem on; what comes after the last one is in that of _HEAD."""
    from timm.models import group_parameters

    if not hasattr(trunk, "group_matcher"):
        raise fault(
            "optimizer.layer_decay", f"cannot be used: the image tower {type(trunk).__name__} has no layers in order"
        )
    groups: dict[str, int] = group_parameters(_WithHead(trunk), trunk.group_matcher(coarse=False), reverse=True)
    return groups


class _WithHead:
    """A trunk with one parameter more, which belongs to no group."""

    def __init__(self, trunk: Any) -> None:
        self._trunk = trunk

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        yield from self._trunk.named_parameters()
        yield _HEAD, None


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
