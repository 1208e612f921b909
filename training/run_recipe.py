"""The recipe of a training run on shards: one TOML file, read into one frozen, validated value.

Every section of the file is a dataclass here, every key a field. A key that is unknown, that cannot
work, or that would be ignored beside the others is an error which names it.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bioclip_search.errors import UsageError
from bioclip_search.taxonomy import TextType
from bioclip_search.text import printable
from training.tables import built, fault

__all__ = [
    "SHIPPED",
    "CheckpointPart",
    "DataPart",
    "EvaluationPart",
    "ModelPart",
    "ObjectivePart",
    "OptimizerPart",
    "ReplayPart",
    "RunRecipe",
    "SchedulePart",
    "ShardSource",
    "TrainingPart",
    "load_run_recipe",
]

SHIPPED = ("bioclip", "bioclip-2", "finetune", "builtin")
_RECIPES = Path(__file__).parent / "recipes"


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
            raise fault("model", "needs one of init, architecture and config, and only one")
        if self.pretrained is not None and self.architecture is None:
            raise fault("model.pretrained", "is a tag of an architecture; it goes with model.architecture only")
        if wrong := [name for name in self.frozen if name not in ("image", "text")]:
            raise fault("model.frozen", f"may hold “image” or “text”, not “{wrong[0]}”")
        if len(set(self.frozen)) == 2:
            raise fault("model.frozen", "leaves nothing to train; freeze one tower")
        if self.frozen and self.pretrained is None and self.init is None:
            raise fault("model.frozen", "would keep random weights; give model.pretrained or model.init")


@dataclass(frozen=True, slots=True)
class ShardSource:
    """A folder of shards, the split that is read, and its share of each batch against other folders."""

    path: str
    share: float = 1.0
    split: str = "train"

    def __post_init__(self) -> None:
        if not self.share > 0:
            raise fault("data.shards.share", "must be above 0")


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
            raise fault("data.text_types", f"has no “{wrong[0]}”; known are {', '.join(known)}")
        if not self.text_types or len(set(self.text_types)) < len(self.text_types):
            raise fault("data.text_types", "must name each type once, and at least one")
        if self.text_draw not in (None, "batch", "sample"):
            raise fault("data.text_draw", "must be batch or sample")
        if self.text_draw is not None and len(self.text_types) == 1:
            raise fault("data.text_draw", "would be ignored: data.text_types names one type only")
        if self.caption.count("{}") != 1:
            raise fault("data.caption", "must have one place {} for the text")
        if not 0 <= self.own_captions <= 1:
            raise fault("data.own_captions", "must lie between 0 and 1")
        if len(self.crop_scale) != 2 or not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise fault("data.crop_scale", "must be two shares in order, above 0 and at most 1")
        if self.mixed_shards < 1:
            raise fault("data.mixed_shards", "must be at least 1")
        if self.workers < 0:
            raise fault("data.workers", "must not be below 0")


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
            raise fault("objective.loss", "must be clip or siglip")
        if self.same_taxon not in ("negative", "positive", "unique"):
            raise fault("objective.same_taxon", "must be negative, positive or unique")


@dataclass(frozen=True, slots=True)
class OptimizerPart:
    """AdamW; names as open_clip has them. The factors multiply the learning rate of a tower.

    With `layer_decay` the rate is multiplied by it once for every layer between a parameter and the
    tower's output, so that what pretraining taught the lower layers stays (Bao et al. 2022, “BEiT”).
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
    layer_decay: float | None = None

    def __post_init__(self) -> None:
        for name in ("lr", "eps", "image_lr_factor", "text_lr_factor"):
            if not getattr(self, name) > 0:
                raise fault(f"optimizer.{name}", "must be above 0")
        if self.wd < 0:
            raise fault("optimizer.wd", "must not be below 0")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise fault(f"optimizer.{name}", "must lie between 0 and 1")
        if self.grad_clip_norm is not None and not self.grad_clip_norm > 0:
            raise fault("optimizer.grad_clip_norm", "must be above 0; leave it out for none")
        if self.layer_decay is not None and not 0 < self.layer_decay < 1:
            raise fault("optimizer.layer_decay", "must lie between 0 and 1; leave it out for none")


@dataclass(frozen=True, slots=True)
class SchedulePart:
    """Length of the run in `epochs` of the first folder or in `steps`, and steps of `warmup`.

    After it the rate falls along a “cosine”; or it stays (“wsd”) until `cooldown` steps before the end.
    """

    epochs: int | None = None
    steps: int | None = None
    warmup: int = 0
    kind: str = "cosine"
    cooldown: int | None = None

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise fault("schedule", "needs epochs or steps, and only one")
        for name in ("epochs", "steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise fault(f"schedule.{name}", "must be at least 1")
        if self.warmup < 0 or (self.steps is not None and self.warmup > self.steps):
            raise fault("schedule.warmup", "must lie between 0 and the number of steps")
        if self.kind not in ("cosine", "wsd"):
            raise fault("schedule.kind", "must be cosine or wsd")
        if self.kind == "wsd" and (self.cooldown is None or self.cooldown < 1):
            raise fault("schedule.cooldown", "must be at least 1 where schedule.kind is wsd")
        if self.kind == "cosine" and self.cooldown is not None:
            raise fault("schedule.cooldown", "would be ignored: schedule.kind is cosine")

    def steps_in(self, batches_an_epoch: int) -> int:
        """The length of the run in steps. Raises UsageError when it is too short for its beginning and end."""
        steps = self.steps or (self.epochs or 0) * batches_an_epoch
        for name, part in (("warmup", self.warmup), ("warmup and cooldown", self.warmup + (self.cooldown or 0))):
            if part > steps:
                raise fault(f"schedule.{name}", f"is longer than the run of {steps:,} steps")
        return steps


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """Sizes and numbers.

    `batch_size` is the whole batch, over all devices. A device that cannot hold its part takes
    `micro_batch` photos at a time, to the same result. `precision` is fp32, amp (float16 with a scaled
    loss), amp_bf16, or pure_bf16 (the weights too). `ema_decay` keeps a running mean of the weights.
    Several devices hold the whole model each (`sharding` “ddp”), or a part of every layer (“fsdp2”, for
    towers that one device cannot hold). `compile` makes kernels for the model: a slow first step,
    faster ones after it.
    """

    batch_size: int
    micro_batch: int | None = None
    precision: str = "fp32"
    ema_decay: float | None = None
    sharding: str = "ddp"
    compile: bool = False

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise fault("training.batch_size", "must be at least 2: the loss compares photos with each other")
        if self.micro_batch is not None and not 0 < self.micro_batch <= self.batch_size:
            raise fault("training.micro_batch", "must be above 0 and at most training.batch_size")
        if self.precision not in ("fp32", "amp", "amp_bf16", "pure_bf16"):
            raise fault("training.precision", "must be fp32, amp, amp_bf16 or pure_bf16")
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise fault("training.ema_decay", "must lie between 0 and 1; leave it out for none")
        if self.sharding not in ("ddp", "fsdp2"):
            raise fault("training.sharding", "must be ddp or fsdp2")
        if self.sharding == "fsdp2" and self.precision not in ("fp32", "amp_bf16"):
            raise fault("training.precision", "must be fp32 or amp_bf16 where training.sharding is fsdp2")
        if self.sharding == "fsdp2" and self.ema_decay is not None:
            raise fault("training.ema_decay", "cannot be kept where training.sharding is fsdp2; use ddp")


@dataclass(frozen=True, slots=True)
class ReplayPart:
    """Photos with captions of another kind, so that what the first weights knew is not forgotten.

    As in BioCLIP 2 (Gu et al. 2025): `batch_size` of them go beside each batch, with a loss of their own and
    a visual projection of their own, which the trained model does not keep. A caption is one of the
    sample's own `captions`, or its common name as it stands.
    """

    batch_size: int
    path: str | None = None
    split: str = "train"

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise fault("replay.batch_size", "must be at least 2: the loss compares photos with each other")


@dataclass(frozen=True, slots=True)
class EvaluationPart:
    """Zero-shot accuracy while training, `every` so many steps or `epochs`, and at the end.

    At most `photos` of the split `split` of the first folder are asked, each among the taxa of all of them,
    which are called by `text_type`. The best checkpoint stays beside the last ones.
    """

    every: int | None = None
    epochs: int | None = None
    split: str = "val"
    photos: int = 2000
    text_type: str = TextType.TAXONOMIC_COMMON.value

    def __post_init__(self) -> None:
        if (self.every is None) == (self.epochs is None):
            raise fault("evaluation", "needs every (steps) or epochs, and only one")
        for name in ("every", "epochs", "photos"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise fault(f"evaluation.{name}", "must be at least 1")
        if self.text_type not in (known := [kind.value for kind in TextType]):
            raise fault("evaluation.text_type", f"must be one of {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class CheckpointPart:
    """A checkpoint is written `every` so many steps and at the end; the last `keep` of them stay."""

    every: int = 1000
    keep: int = 3

    def __post_init__(self) -> None:
        for name in ("every", "keep"):
            if getattr(self, name) < 1:
                raise fault(f"checkpoint.{name}", "must be at least 1")


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
    replay: ReplayPart | None = None
    evaluation: EvaluationPart | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise fault("seed", "must not be below 0")
        for tower in self.model.frozen:
            if getattr(self.optimizer, f"{tower}_lr_factor") != 1:
                raise fault(f"optimizer.{tower}_lr_factor", f"would be ignored: model.frozen holds “{tower}”")
        if self.training.ema_decay is not None and self.training.precision == "pure_bf16":
            raise fault("training.ema_decay", "would be lost in the rounding of pure_bf16; use amp_bf16")
        if len(self.data.shards) == 1 and self.data.shards[0].share != 1:
            raise fault("data.shards.share", "would be ignored: there is one folder only")
        if self.objective.same_taxon == "unique" and len(self.data.shards) > 1:
            raise fault("objective.same_taxon", "can be unique with one folder of shards only")
        if self.replay is not None and "image" in self.model.frozen:
            raise fault("replay", "would be ignored: model.frozen holds “image”")

    def on_shards(self, folders: Sequence[Path]) -> "RunRecipe":
        """The same recipe on other folders of shards, in equal shares."""
        shards = tuple(ShardSource(str(folder)) for folder in folders)
        return replace(self, data=replace(self.data, shards=shards))

    def replaying(self, folder: Path) -> "RunRecipe":
        """The same with another folder of shards to replay. Raises UsageError if the recipe does not replay."""
        if self.replay is None:
            raise UsageError("The recipe has no part [replay]; leave --replay out, or give replay.batch_size.")
        return replace(self, replay=replace(self.replay, path=str(folder)))

    @property
    def photos_a_step(self) -> int:
        return self.training.batch_size + (self.replay.batch_size if self.replay else 0)

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
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no recipe {printable(str(name))}; name one that is shipped ({', '.join(SHIPPED)}; see "
            "`bioclip-search train recipe`), or a TOML file of your own."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"The recipe {path} cannot be read ({error}).") from error
    recipe: RunRecipe = built(RunRecipe, values, "")
    shards = tuple(replace(one, path=str(path.parent.absolute() / one.path)) for one in recipe.data.shards)
    recipe = replace(recipe, data=replace(recipe.data, shards=shards))
    if recipe.replay is None or recipe.replay.path is None:
        return recipe
    return recipe.replaying(path.parent.absolute() / recipe.replay.path)
