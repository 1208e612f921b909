"""Words that a text tower was never shown."""

from collections.abc import Callable, Sequence

import torch

__all__ = ["neutralise_unseen_tokens"]


def neutralise_unseen_tokens(
    embedding: torch.Tensor, texts: Sequence[str], tokenizer: Callable[[list[str]], torch.Tensor]
) -> int:
    """Give every token that occurs in none of the texts the mean of those that do; returns how many do.

    `embedding` float [tokens, width] is changed in place. An untrained embedding is noise that would throw a
    query with one unknown word off its course.
    """
    seen = torch.unique(tokenizer(list(texts)))
    unseen = torch.ones(len(embedding), dtype=torch.bool)
    unseen[seen] = False
    with torch.no_grad():
        embedding[unseen] = embedding[seen].mean(dim=0)
    return len(seen)
