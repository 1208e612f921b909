"""The gradient of one batch's loss, all at once or by micro-batches that give the same.

A contrastive loss needs the features of the whole batch. By micro-batches they are computed first
without a graph; the loss is taken on them; then each micro-batch is computed again and its part of the
gradient of the features is sent back through the model (Gao et al. 2021, “GradCache”; the idea of
open_clip's accum_freq, but the loss is computed once and the logit scale is not counted repeatedly).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch

__all__ = ["Features", "Forward", "batch_gradient"]


class Features(NamedTuple):
    """Unit length float32 [n, dim], [n, dim]; the scale that multiplies cosines, and the bias, if any, []."""

    images: torch.Tensor
    texts: torch.Tensor
    scale: torch.Tensor
    bias: torch.Tensor | None


Forward = Callable[[slice], Features]
"""The features of some of the batch's rows."""


def batch_gradient(
    forward: Forward,
    rows: int,
    micro_batch: int,
    objective: Callable[[Features], torch.Tensor],
    backward: Callable[[torch.Tensor], None],
    parallel: Any,
    *,
    exchange: bool = True,
) -> float:
    """Add the gradient of the loss to the parameters; returns the loss of this process's rows.

    `backward` goes back from a scalar; `parallel` is the model, perhaps over several devices: gradients are
    exchanged with the last micro-batch only, and without `exchange` not even then.
    """
    if micro_batch >= rows:
        with nullcontext() if exchange else _unsynchronised(parallel):
            whole = objective(forward(slice(0, rows)))
            backward(whole)
        return float(whole.detach())
    slices = [slice(start, min(start + micro_batch, rows)) for start in range(0, rows, micro_batch)]
    states = []
    parts = []
    with torch.no_grad():
        for part in slices:
            states.append(_rng())
            parts.append(forward(part))
    loss, gradients = _on_features(parts, objective)
    for number, part in enumerate(slices):
        last = number == len(slices) - 1
        with nullcontext() if last and exchange else _unsynchronised(parallel), _as_before(states[number]):
            features = forward(part)
            # Whose gradient is that of the loss: the features' part of it, and once that of the scale.
            proxy = (features.images * gradients.images[part]).sum() + (features.texts * gradients.texts[part]).sum()
            if last:
                proxy = proxy + (features.scale * gradients.scale).sum()
                if features.bias is not None and gradients.bias is not None:
                    proxy = proxy + (features.bias * gradients.bias).sum()
            backward(proxy)
    return loss


def _on_features(parts: list[Features], objective: Callable[[Features], torch.Tensor]) -> tuple[float, Features]:
    """The loss, and its gradient with respect to the features of all parts."""
    with torch.enable_grad():
        bias = parts[0].bias
        leaves = Features(
            torch.cat([part.images for part in parts]).requires_grad_(),
            torch.cat([part.texts for part in parts]).requires_grad_(),
            parts[0].scale.clone().requires_grad_(),
            None if bias is None else bias.clone().requires_grad_(),
        )
        loss = objective(leaves)
        wanted = [leaf for leaf in leaves if leaf is not None]
        found = iter(torch.autograd.grad(loss, wanted, allow_unused=True))
    return float(loss.detach()), Features(*(None if leaf is None else next(found) for leaf in leaves))  # type: ignore[arg-type]


@contextmanager
def _unsynchronised(parallel: Any) -> Iterator[None]:
    """DistributedDataParallel and FSDP2 each have their own word for it."""
    if hasattr(parallel, "no_sync"):
        with parallel.no_sync():
            yield
    elif hasattr(parallel, "set_requires_gradient_sync"):
        parallel.set_requires_gradient_sync(False)
        yield
        parallel.set_requires_gradient_sync(True)
    else:
        yield


def _rng() -> tuple[torch.Tensor, torch.Tensor | None]:
    return torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None


@contextmanager
def _as_before(state: tuple[torch.Tensor, torch.Tensor | None]) -> Iterator[None]:
    """The random numbers of the first time: what was dropped out is dropped out again."""
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1])
    yield
