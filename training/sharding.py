"""One model over several devices: whole copies of it (DDP), or parts of every layer (FSDP2).

Parts are gathered into whole tensors for checkpoints, so that a run may go on with another number of
processes, or with whole copies.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from training.distributed import World

__all__ = ["as_held", "gathered", "local", "parallel_model", "whole"]


def parallel_model(model: Any, sharding: str, here: World) -> Any:
    """The model to be called: `model` itself where there is one process, or where its layers were split."""
    if here.size == 1:
        return model
    if sharding == "fsdp2":
        return _split(model, here)
    return DistributedDataParallel(model, device_ids=[here.device] if here.device.type == "cuda" else None)


def _split(model: Any, here: World) -> Any:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    for name in ("logit_scale", "logit_bias"):
        scalar = getattr(model, name)
        if scalar is not None:  # a number cannot be split, a vector of one can
            setattr(model, name, torch.nn.Parameter(scalar.data.reshape(1), scalar.requires_grad))
    mesh = init_device_mesh(here.device.type, (here.size,))
    for module in list(model.modules()):
        if type(module).__name__.endswith("ResidualAttentionBlock"):
            fully_shard(module, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor that may lie in parts; every process must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def gathered(tensors: Iterable[tuple[str, torch.Tensor]], *, keep: bool) -> dict[str, torch.Tensor]:
    """Whole copies on the CPU that training does not change any more; nothing for a process that does not `keep` them.

    Every process must ask for them. One tensor is whole on the device at a time: all together might not fit.
    """
    kept = {}
    for name, tensor in tensors:
        complete = whole(tensor.detach())
        if keep:
            kept[name] = complete.to("cpu", copy=True).contiguous()
    return kept


def local(tensor: torch.Tensor) -> torch.Tensor:
    """This process's part."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def as_held(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A whole tensor, shaped and split as `like` is."""
    if tensor.numel() == like.numel():
        tensor = tensor.reshape(like.shape)
    if not isinstance(like, DTensor):
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)
