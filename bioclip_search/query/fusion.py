"""Two rankings made one, by reciprocal rank (Cormack, Clarke & Buettcher 2009)."""

from collections.abc import Sequence
from dataclasses import replace

from bioclip_search.query.choose import Candidate

__all__ = ["fused"]

_CONSTANT = 60


def fused(by_vector: Sequence[Candidate], in_records: Sequence[Candidate]) -> list[Candidate]:
    """All candidates, those that stand high in both rankings first; a photo of both has both its scores."""
    sums: dict[tuple[str, str], float] = {}
    found: dict[tuple[str, str], Candidate] = {}
    for ranking in (by_vector, in_records):
        for rank, candidate in enumerate(ranking, start=1):
            key = (candidate.photo.root, candidate.photo.path)
            sums[key] = sums.get(key, 0.0) + 1 / (_CONSTANT + rank)
            known = found.get(key)
            found[key] = candidate if known is None else replace(known, relevance=candidate.relevance)
    return [found[key] for key in sorted(found, key=lambda key: (-sums[key], key))]
