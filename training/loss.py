"""The contrastive loss, when one caption can be true of several photos of a batch."""

import torch
from torch.nn import functional

__all__ = ["multi_positive_loss"]


def multi_positive_loss(
    image_features: torch.Tensor, text_features: torch.Tensor, logit_scale: torch.Tensor, truth: torch.Tensor
) -> torch.Tensor:
    """CLIP's loss with every true pair as a positive.

    `image_features` and `text_features` are unit length [n, dim]; `truth` is bool [n, n], true where
    caption j describes photo i, with a true diagonal. The target of a row is spread evenly over its
    true captions (Yang et al. 2022, “Unified Contrastive Learning”); with nothing but the diagonal
    true it is CLIP's own loss. Few species in a batch would otherwise be pushed apart from themselves.
    """
    logits = logit_scale * image_features @ text_features.T
    truth = truth.to(logits.dtype)
    by_image = functional.cross_entropy(logits, truth / truth.sum(dim=1, keepdim=True))
    by_text = functional.cross_entropy(logits.T, truth.T / truth.sum(dim=0)[:, None])
    return (by_image + by_text) / 2
