"""The contrastive losses over all processes, and which captions are true of which photos.

Each process computes the rows of its own photos and captions against those of all processes (“local
loss”), always through gathered gradients: without them the direction of the gradient is wrong.
"""

import torch
from torch.nn import functional

from training.distributed import gather_rows

__all__ = ["clip_loss", "siglip_loss", "true_pairs"]


def true_pairs(labels: torch.Tensor, all_labels: torch.Tensor) -> torch.Tensor:
    """bool [n, m]: whether a caption of `all_labels` is true of a photo of `labels`.

    Labels are int64 [.., 2], the taxon and the caption: it is true when either is the same.
    """
    return (labels[:, None] == all_labels[None]).any(dim=2)


def clip_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, labels: torch.Tensor | None, first: int
) -> torch.Tensor:
    """CLIP's loss of this process's rows, float32 []; its mean over the processes is the batch's.

    `images` and `texts` are unit length [n, dim], `first` is the number of their first row in the whole
    batch. With `labels` (see `true_pairs`) a row's target is spread evenly over its true captions
    (Yang et al. 2022, “Unified Contrastive Learning”), else only its own caption is one.
    """
    by_image = scale * images @ gather_rows(texts).T
    by_text = scale * texts @ gather_rows(images).T
    if labels is None:
        targets = torch.arange(first, first + len(images), device=images.device)
    else:
        truth = true_pairs(labels, gather_rows(labels)).to(by_image.dtype)
        targets = truth / truth.sum(dim=1, keepdim=True)
    return (functional.cross_entropy(by_image, targets) + functional.cross_entropy(by_text, targets)) / 2


def siglip_loss(
    images: torch.Tensor,
    texts: torch.Tensor,
    scale: torch.Tensor,
    bias: torch.Tensor,
    labels: torch.Tensor | None,
    first: int,
) -> torch.Tensor:
    """SigLIP's loss (Zhai et al. 2023) of this process's photos, as `clip_loss`: every pair by itself, true or not."""
    logits = scale * images @ gather_rows(texts).T + bias
    if labels is None:
        truth = torch.zeros_like(logits, dtype=torch.bool)
        truth[:, first : first + len(images)].fill_diagonal_(True)
    else:
        truth = true_pairs(labels, gather_rows(labels))
    signs = torch.where(truth, 1.0, -1.0)
    return -functional.logsigmoid(signs * logits).sum() / len(images)
