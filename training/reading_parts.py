"""The parts of a recipe that say what is read: to train on, to replay, to evaluate with."""

from dataclasses import dataclass

from bioclip_search.taxonomy import TextType
from training.tables import fault

__all__ = ["DataPart", "EvaluationPart", "ReplayPart", "ShardSource"]


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

    At most `photos` of the split `split` of the first folder, of those with a name, are asked, each among the
    taxa of all of them, which are called by `text_type`. The best checkpoint stays beside the last ones.
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
