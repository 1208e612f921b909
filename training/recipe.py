"""A training recipe: one TOML file, read into one validated value."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bioclip_search.errors import UsageError

__all__ = ["Recipe", "load_recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained on painted specimens; names as open_clip has them.

    `model` is an open_clip model configuration; `specimens` are painted with seeds from
    `first_seed` on. Raises UsageError for values that cannot work.
    """

    model: dict[str, Any]
    specimens: int
    first_seed: int
    scales: tuple[float, ...]
    steps: int
    global_batch_size: int
    lr: float
    warmup: int
    wd: float
    beta1: float
    beta2: float
    eps: float
    precision: str
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", tuple(self.scales))
        for name in ("specimens", "steps", "global_batch_size", "lr"):
            if getattr(self, name) <= 0:
                raise UsageError(f"The recipe's {name} must be above 0.")
        if self.precision not in ("fp32", "amp_bf16"):
            raise UsageError("The recipe's precision must be fp32 or amp_bf16.")
        if self.global_batch_size > self.specimens:
            raise UsageError("The recipe's global_batch_size is larger than its number of specimens.")
        if not 0 <= self.warmup <= self.steps:
            raise UsageError("The recipe's warmup must lie between 0 and its steps.")

    @property
    def image_size(self) -> int:
        return int(self.model["vision_cfg"]["image_size"])


def load_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises UsageError for unknown or missing names."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The recipe {path} cannot be read ({error}).") from error
    known = {field.name for field in fields(Recipe)}
    if unknown := sorted(values.keys() - known):
        raise UsageError(f"The recipe {path} has unknown names: {', '.join(unknown)}.")
    if missing := sorted(known - values.keys()):
        raise UsageError(f"The recipe {path} lacks: {', '.join(missing)}.")
    return Recipe(**values)
