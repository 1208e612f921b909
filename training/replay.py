"""BioCLIP 2's replay: photos of another kind keep a visual projection of their own (Gu et al. 2025).

The model's projection is made twice as wide while it is trained: the left half is that of the taxa, the
right half that of the replayed photos. So each photo goes through the tower once, and what is trained stays
one open_clip model. The right half begins as a copy, for the first weights knew such photos by it; the
trained model goes without it.
"""

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bioclip_search.errors import UsageError
from bioclip_search.taxonomy import TextType
from training.data import Draw, SampleReader
from training.shards.reading import Sample

__all__ = ["PROJECTION", "ReplayReader", "halved", "joined", "left_or_right", "widen"]

PROJECTION = "visual.proj"
"""The parameter that has two halves."""

_CAPTION = 4  # what a random number is for


def widen(model: Any) -> None:
    """Give a model the second projection. Raises UsageError for a tower that has no plain one."""
    projection = getattr(model.visual, "proj", None)
    if not isinstance(projection, torch.nn.Parameter):
        raise UsageError(
            "The recipe's replay needs a vision transformer of open_clip's own; leave it out, or take such a model."
        )
    model.visual.proj = torch.nn.Parameter(torch.cat([projection.data, projection.data], dim=1))


def left_or_right(images: torch.Tensor, *, replayed: bool) -> torch.Tensor:
    """Unit length [n, 2·dim] of a widened model -> unit length [n, dim] of one of its projections."""
    left, right = images.chunk(2, dim=1)
    return functional.normalize(right if replayed else left, dim=1)


def halved(weights: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """A widened model's weights as those of the model without replay, and the right half beside them."""
    left, right = weights[PROJECTION].chunk(2, dim=1)
    return weights | {PROJECTION: left.contiguous()}, {PROJECTION: right.contiguous()}


def joined(weights: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What `halved` took apart."""
    return weights | {name: torch.cat([weights[name], half], dim=1) for name, half in right.items()}


class ReplayReader(SampleReader):
    """Photos with their own captions as they stand, “captions” in the sample's JSON, else the common name."""

    def _caption(self, sample: Sample, draw: Draw) -> str:
        if not sample.captions:
            return sample.taxon.text(TextType.COMMON) or ""
        rng = np.random.default_rng((self._captions.seed, _CAPTION, draw.step, draw.row))
        return sample.captions[int(rng.integers(len(sample.captions)))]
