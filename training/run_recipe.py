"""The recipe of a training run on shards: one TOML file, read into one frozen, validated value.

Every section of the file is a dataclass here, every key a field. A key that is unknown, that cannot
work, or that would be ignored beside the others is an error which names it.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from bioclip_search.errors import UsageError
from bioclip_search.taxonomy import TextType

__all__ = [
    "SHIPPED",
    "CheckpointPart",
    "DataPart",
    "ModelPart",
    "ObjectivePart",
    "OptimizerPart",
    "RunRecipe",
    "SchedulePart",
    "ShardSource",
    "TrainingPart",
    "load_run_recipe",
]

SHIPPED = ("bioclip", "bioclip-2", "finetune", "builtin")
_RECIPES = Path(__file__).parent / "recipes"


def _wrong(key: str, reason: str) -> UsageError:
    return UsageError(f"The recipe's {key} {reason}.")


@dataclass(frozen=True, slots=True)
class ModelPart:
    """Where the model comes from, and what of it is trained.

    One of `init` (bioclip, builtin, hf-hub:…, or a folder such as a checkpoint), `architecture` (a name
    that open_clip knows, with a tag of weights in `pretrained` or with random ones), and `config`
    (an open_clip model configuration; random weights). `frozen` towers, “image” or “text”, are kept as they
    are (LiT: Zhai et al. 2022).
    """

    init: str | None = None
    architecture: str | None = None
    pretrained: str | None = None
    config: dict[str, Any] | None = None
    frozen: tuple[str, ...] = ()
    grad_checkpointing: bool = False

    def __post_init__(self) -> None:
        given = [name for name in ("init", "architecture", "config") if getattr(self, name) is not None]
        if len(given) != 1:
            raise _wrong("model", "needs one of init, architecture and config, and only one")
        if self.pretrained is not None and self.architecture is None:
            raise _wrong("model.pretrained", "is a tag of an architecture; it goes with model.architecture only")
        if wrong := [name for name in self.frozen if name not in ("image", "text")]:
            raise _wrong("model.frozen", f"may hold “image” or “text”, not “{wrong[0]}”")
        if len(set(self.frozen)) == 2:
            raise _wrong("model.frozen", "leaves nothing to train; freeze one tower")
        if self.frozen and self.pretrained is None and self.init is None:
            raise _wrong("model.frozen", "would keep random weights; give model.pretrained or model.init")


@dataclass(frozen=True, slots=True)
class ShardSource:
    """A folder of shards, the split that is read, and its share of each batch against other folders."""

    path: str
    share: float = 1.0
    split: str = "train"

    def __post_init__(self) -> None:
        if not self.share > 0:
            raise _wrong("data.shards.share", "must be above 0")


@dataclass(frozen=True, slots=True)
class DataPart:
    """What is read, and how a sample becomes a picture and a caption.

    A caption is the taxon's text of one of `text_types` put into `caption`; the type is drawn once a
    batch (as BioCLIP) or once a sample, by `text_draw`. A share `own_captions` of the samples that bring
    captions of their own (`captions` in a shard's JSON) has one of those instead. `crop_scale` is the share
    of the picture's area that is kept. The samples of `mixed_shards` shards at a time are shuffled together.
    """

    shards: tuple[ShardSource, ...] = ()
    text_types: tuple[str, ...] = tuple(TextType)
    text_draw: str | None = None
    caption: str = "a photo of {}."
    own_captions: float = 0.0
    crop_scale: tuple[float, ...] = (0.9, 1.0)
    mixed_shards: int = 16
    workers: int = 4

    def __post_init__(self) -> None:
        known = [kind.value for kind in TextType]
        if wrong := [kind for kind in self.text_types if kind not in known]:
            raise _wrong("data.text_types", f"has no “{wrong[0]}”; known are {', '.join(known)}")
        if not self.text_types or len(set(self.text_types)) < len(self.text_types):
            raise _wrong("data.text_types", "must name each type once, and at least one")
        if self.text_draw not in (None, "batch", "sample"):
            raise _wrong("data.text_draw", "must be batch or sample")
        if self.text_draw is not None and len(self.text_types) == 1:
            raise _wrong("data.text_draw", "would be ignored: data.text_types names one type only")
        if self.caption.count("{}") != 1:
            raise _wrong("data.caption", "must have one place {} for the text")
        if not 0 <= self.own_captions <= 1:
            raise _wrong("data.own_captions", "must lie between 0 and 1")
        if len(self.crop_scale) != 2 or not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise _wrong("data.crop_scale", "must be two shares in order, above 0 and at most 1")
        if self.mixed_shards < 1:
            raise _wrong("data.mixed_shards", "must be at least 1")
        if self.workers < 0:
            raise _wrong("data.workers", "must not be below 0")


@dataclass(frozen=True, slots=True)
class ObjectivePart:
    """The loss, and what two photos of one taxon in a batch are to each other.

    `loss` is clip (Radford et al. 2021) or siglip (Zhai et al. 2023). `same_taxon` is “negative” (as
    BioCLIP: pushed apart), “positive” (every true caption is a target) or “unique” (such batches are
    not made).
    """

    loss: str = "clip"
    same_taxon: str = "negative"

    def __post_init__(self) -> None:
        if self.loss not in ("clip", "siglip"):
            raise _wrong("objective.loss", "must be clip or siglip")
        if self.same_taxon not in ("negative", "positive", "unique"):
            raise _wrong("objective.same_taxon", "must be negative, positive or unique")


@dataclass(frozen=True, slots=True)
class OptimizerPart:
    """AdamW; names as open_clip has them. The factors multiply the learning rate of a tower.

    Gradients are cut to the norm `grad_clip_norm`, if it is given.
    """

    lr: float
    wd: float = 0.2
    beta1: float = 0.9
    beta2: float = 0.98
    eps: float = 1e-6
    grad_clip_norm: float | None = None
    image_lr_factor: float = 1.0
    text_lr_factor: float = 1.0

    def __post_init__(self) -> None:
        for name in ("lr", "eps", "image_lr_factor", "text_lr_factor"):
            if not getattr(self, name) > 0:
                raise _wrong(f"optimizer.{name}", "must be above 0")
        if self.wd < 0:
            raise _wrong("optimizer.wd", "must not be below 0")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise _wrong(f"optimizer.{name}", "must lie between 0 and 1")
        if self.grad_clip_norm is not None and not self.grad_clip_norm > 0:
            raise _wrong("optimizer.grad_clip_norm", "must be above 0; leave it out for none")


@dataclass(frozen=True, slots=True)
class SchedulePart:
    """Length of the run in `epochs` of the first folder or in `steps`, and steps of `warmup`."""

    epochs: int | None = None
    steps: int | None = None
    warmup: int = 0

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise _wrong("schedule", "needs epochs or steps, and only one")
        for name in ("epochs", "steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise _wrong(f"schedule.{name}", "must be at least 1")
        if self.warmup < 0 or (self.steps is not None and self.warmup > self.steps):
            raise _wrong("schedule.warmup", "must lie between 0 and the number of steps")


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """Sizes and numbers.

    `batch_size` is the whole batch, over all devices. A device that cannot hold its part takes
    `micro_batch` photos at a time, to the same result. `precision` is fp32, amp (float16 with a scaled
    loss), amp_bf16, or pure_bf16 (the weights too). `ema_decay` keeps a running mean of the weights.
    """

    batch_size: int
    micro_batch: int | None = None
    precision: str = "fp32"
    ema_decay: float | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise _wrong("training.batch_size", "must be at least 2: the loss compares photos with each other")
        if self.micro_batch is not None and not 0 < self.micro_batch <= self.batch_size:
            raise _wrong("training.micro_batch", "must be above 0 and at most training.batch_size")
        if self.precision not in ("fp32", "amp", "amp_bf16", "pure_bf16"):
            raise _wrong("training.precision", "must be fp32, amp, amp_bf16 or pure_bf16")
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise _wrong("training.ema_decay", "must lie between 0 and 1; leave it out for none")


@dataclass(frozen=True, slots=True)
class CheckpointPart:
    """A checkpoint is written `every` so many steps and at the end; the last `keep` of them stay."""

    every: int = 1000
    keep: int = 3

    def __post_init__(self) -> None:
        for name in ("every", "keep"):
            if getattr(self, name) < 1:
                raise _wrong(f"checkpoint.{name}", "must be at least 1")


@dataclass(frozen=True, slots=True)
class RunRecipe:
    """A whole run. Raises UsageError for values that cannot work, alone or together."""

    model: ModelPart
    optimizer: OptimizerPart
    schedule: SchedulePart
    training: TrainingPart
    data: DataPart = field(default_factory=DataPart)
    objective: ObjectivePart = field(default_factory=ObjectivePart)
    checkpoint: CheckpointPart = field(default_factory=CheckpointPart)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise _wrong("seed", "must not be below 0")
        for tower in self.model.frozen:
            if getattr(self.optimizer, f"{tower}_lr_factor") != 1:
                raise _wrong(f"optimizer.{tower}_lr_factor", f"would be ignored: model.frozen holds “{tower}”")
        if self.training.ema_decay is not None and self.training.precision == "pure_bf16":
            raise _wrong("training.ema_decay", "would be lost in the rounding of pure_bf16; use amp_bf16")
        if len(self.data.shards) == 1 and self.data.shards[0].share != 1:
            raise _wrong("data.shards.share", "would be ignored: there is one folder only")
        if self.objective.same_taxon == "unique" and len(self.data.shards) > 1:
            raise _wrong("objective.same_taxon", "can be unique with one folder of shards only")

    def on_shards(self, folders: Sequence[Path]) -> "RunRecipe":
        """The same recipe on other folders of shards, in equal shares."""
        shards = tuple(ShardSource(str(folder)) for folder in folders)
        return replace(self, data=replace(self.data, shards=shards))

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the checkpoint."""
        return asdict(self)


def load_run_recipe(name: str | Path) -> RunRecipe:
    """Read a recipe from a file, or one that is shipped by its name. Raises UsageError.

    Folders of shards are relative to the recipe's own.
    """
    path = Path(name)
    if str(name) in SHIPPED:
        path = _RECIPES / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"The recipe {path} cannot be read ({error}).") from error
    recipe: RunRecipe = _built(RunRecipe, values, "")
    shards = tuple(replace(one, path=str(path.parent.absolute() / one.path)) for one in recipe.data.shards)
    return replace(recipe, data=replace(recipe.data, shards=shards))


def _built(kind: Any, values: Mapping[str, Any], place: str) -> Any:
    """One dataclass from one table of the file."""
    if not isinstance(values, Mapping):
        raise _wrong(place, "must be a table")
    hints = get_type_hints(kind)
    if unknown := sorted(values.keys() - hints.keys()):
        raise _wrong(place + unknown[0], f"is not known; known are {', '.join(hints)}")
    required = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]
    if missing := [name for name in required if name not in values]:
        raise _wrong(place + missing[0], "is missing")
    return kind(**{name: _value(hints[name], value, place + name) for name, value in values.items()})


def _value(hint: Any, value: Any, key: str) -> Any:
    """A value of the file as the field wants it: whole numbers may stand for others, lists become tuples."""
    if isinstance(hint, UnionType):
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _wrong(key, "must be a list")
        return tuple(_value(get_args(hint)[0], one, key) for one in value)
    if get_origin(hint) is dict:
        hint = dict
    if hasattr(hint, "__dataclass_fields__"):
        return _built(hint, value, f"{key}.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a table"}
        raise _wrong(key, f"must be {words[hint]}")
    return value
