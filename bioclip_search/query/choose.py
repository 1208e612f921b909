"""Choose among candidates: one photo of each specimen, or photos that differ from each other."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bioclip_search.specimen import Photo

__all__ = ["Candidate", "different", "one_a_specimen", "specimen_of"]

_T = TypeVar("_T")

_RELEVANCE = 0.7


@dataclass(frozen=True)
class Candidate:
    """A photo that may be shown: its unit-length embedding float32 [dim], its cosine to the query's vector, and how
    well its record matches (BM25); each None where the query does not ask for it."""

    photo: Photo
    embedding: npt.NDArray[np.float32]
    cosine: float | None
    relevance: float | None = None


def one_a_specimen(ranked: Iterable[_T], photo_of: Callable[[_T], Photo]) -> list[_T]:
    """The first of each specimen, in the same order."""
    first: dict[tuple[str | None, ...], _T] = {}
    for one in ranked:
        first.setdefault(specimen_of(photo_of(one)), one)
    return list(first.values())


def specimen_of(photo: Photo) -> tuple[str | None, ...]:
    """What identifies a photo's specimen: occurrenceID, else catalogue number and codes, else the content."""
    terms = photo.specimen.terms
    if occurrence := terms.get("occurrenceID"):
        return ("occurrenceID", occurrence)
    if number := terms.get("catalogNumber"):
        return (terms.get("institutionCode"), terms.get("collectionCode"), number)
    return ("content", photo.content_hash)


def different(ranked: Sequence[Candidate], count: int) -> list[Candidate]:
    """Up to `count` candidates by maximal marginal relevance (Carbonell & Goldstein 1998), the first one first.

    Each next one has the largest 0.7 · cosine to the query − 0.3 · largest cosine to those chosen.
    """
    if not ranked:
        return []
    embeddings = np.stack([candidate.embedding for candidate in ranked])
    relevance = np.array([candidate.cosine if candidate.cosine is not None else 0.0 for candidate in ranked])
    chosen = [0]
    nearest = embeddings @ embeddings[0]
    while len(chosen) < min(count, len(ranked)):
        worth = _RELEVANCE * relevance - (1 - _RELEVANCE) * nearest
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
        nearest = np.maximum(nearest, embeddings @ embeddings[chosen[-1]])
    return [ranked[at] for at in chosen]
