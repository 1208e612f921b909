"""The parts of a recipe that say what is learnt, and how: the model, its objective, the way there, what is kept."""

from dataclasses import dataclass
from typing import Any

from training.tables import fault

__all__ = ["CheckpointPart", "ModelPart", "ObjectivePart", "OptimizerPart", "SchedulePart", "TrainingPart"]


@dataclass(frozen=True, slots=True)
class ModelPart:
    """Where the model comes from, and what of it is trained.

    One of `init` (bioclip, builtin, hf-hub:…, or a folder such as a checkpoint, relative to the recipe),
    `architecture` (a name that open_clip knows, with a tag of weights in `pretrained` or with random ones),
    and `config` (an open_clip model configuration; random weights). `frozen` towers, “image” or “text”, are
    kept as they are (LiT: Zhai et al. 2022).
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
class ObjectivePart:
    """The loss, and what two photos of one taxon in a batch are to each other.

    `loss` is clip (Radford et al. 2021) or siglip (Zhai et al. 2023). `same_taxon` is “negative” (as
    BioCLIP: pushed apart), “positive” (every true caption is a target) or “unique” (such batches are
    not made: an epoch is as many batches as can be, of photos of all shards).
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
    `micro_batch` photos at a time, to the same result; a model with BatchNorm has none such. `precision` is
    fp32, amp (float16 with a scaled loss), amp_bf16, or pure_bf16 (the weights too). `ema_decay` keeps a
    running mean of the weights. Several devices hold the whole model each (`sharding` “ddp”), or a part of
    every layer (“fsdp2”, for towers that one device cannot hold). `compile` makes kernels for the model: a
    slow first step, faster ones after it.
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
class CheckpointPart:
    """A checkpoint is written `every` so many steps and at the end; the last `keep` of them stay."""

    every: int = 1000
    keep: int = 3

    def __post_init__(self) -> None:
        for name in ("every", "keep"):
            if getattr(self, name) < 1:
                raise fault(f"checkpoint.{name}", "must be at least 1")
