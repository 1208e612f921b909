"""BatchNorm, whose mean and variance are those of the photos that are seen together: they must be the whole batch.

Else the result would depend on the number of processes, or on how much a device holds at a time. Layers of a frozen
tower are no BatchNorm any more: their figures are fixed.
"""

from typing import Any

import torch

from bioclip_search.errors import UsageError
from training.distributed import World
from training.run_recipe import RunRecipe
from training.tables import fault

__all__ = ["freeze", "see_whole_batches", "synchronised"]


def see_whole_batches(model: Any, recipe: RunRecipe, here: World) -> None:
    """Raise UsageError for a model with BatchNorm where a part of a batch is all that it would see."""
    if not _has_batch_norm(model):
        return
    rows = max(recipe.training.batch_size, recipe.replay.batch_size if recipe.replay else 0) // here.size
    if recipe.training.micro_batch is not None and recipe.training.micro_batch < rows:
        raise fault(
            "training.micro_batch",
            "would change the result, for the model has layers of BatchNorm; leave it out and make "
            "training.batch_size smaller, or take a vision transformer",
        )
    if here.size > 1 and here.device.type != "cuda":
        raise UsageError(
            "The model has layers of BatchNorm, which several processes can share on GPUs only; train it with one "
            "process, or take a vision transformer."
        )


def synchronised(model: Any, here: World) -> Any:
    """The model with BatchNorm over the rows of all processes (open_clip's `--use-bn-sync`); changed in place."""
    # By timm: torch's own would lose the activations that layers of timm's hold.
    from timm.layers import convert_sync_batchnorm

    return model if here.size == 1 or not _has_batch_norm(model) else convert_sync_batchnorm(model)


def freeze(tower: Any) -> None:
    """Fix the figures of a tower's BatchNorm; changed in place."""
    # By timm, as above: open_clip's own would lose activations.
    from timm.layers import freeze_batch_norm_2d

    freeze_batch_norm_2d(tower)


def _has_batch_norm(model: Any) -> bool:
    return any(isinstance(one, torch.nn.modules.batchnorm._BatchNorm) for one in model.modules())
