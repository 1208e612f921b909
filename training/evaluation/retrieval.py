"""Retrieval: how soon the photos that were meant come among those that are found.

AP@k, nDCG@k and the reciprocal rank are those of INQUIRE (Vendrow et al. 2024): relevance is yes or no, the sum of
precisions is divided by min(relevant, k), so that what was never found counts, and ranks beyond k give 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features

__all__ = [
    "Found",
    "Retrieval",
    "average_precision",
    "found_by_photos",
    "found_by_texts",
    "nearest_others",
    "ndcg",
    "reciprocal_rank",
    "retrieval",
]

Numbers = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Relevance = npt.NDArray[np.bool_]

DEPTH = 50
RECALL_AT = (1, 5, 10)
_AT_ONCE = 1_024
_MOST_CELLS = 16 * 2**20
_MOST_QUERIES = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """What queries found: bool [q, k], whether the photo at each place is relevant, the best first.

    `relevant` int64 [q] are the numbers of relevant photos that there are, whether they were found or not.
    """

    hits: Relevance
    relevant: Numbers

    def take(self, rows: Relevance | Numbers) -> "Found":
        """Some of the queries."""
        return Found(self.hits[rows], self.relevant[rows])


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Means over queries, from 0 to 1.

    `recall` is by k the share of queries with a relevant photo among the first k (as CLIP_benchmark and the
    literature of captions have it); the rest is at `depth`.
    """

    queries: int
    recall: Mapping[int, float]
    average_precision: float
    ndcg: float
    reciprocal_rank: float
    depth: int


def retrieval(found: Found, depth: int = DEPTH) -> Retrieval | None:
    """All figures of some queries; a query for which nothing is relevant is left out, None where none is left."""
    asked = found.take(found.relevant > 0)
    if not len(asked.hits):
        return None
    first = [int(row.argmax()) if row.any() else -1 for row in asked.hits]
    return Retrieval(
        queries=len(asked.hits),
        recall={k: float(np.mean([0 <= place < k for place in first])) for k in RECALL_AT},
        average_precision=float(average_precision(asked, depth).mean()),
        ndcg=float(ndcg(asked, depth).mean()),
        reciprocal_rank=float(reciprocal_rank(asked, depth).mean()),
        depth=depth,
    )


def average_precision(found: Found, depth: int = DEPTH) -> Shares:
    """AP@depth of each query: the precisions at the relevant places, summed, over min(relevant, depth)."""
    hits = found.hits[:, :depth]
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    result: Shares = (precisions * hits).sum(axis=1) / np.maximum(np.minimum(found.relevant, depth), 1)
    return result


def ndcg(found: Found, depth: int = DEPTH) -> Shares:
    """nDCG@depth of each query (Järvelin and Kekäläinen 2002), all relevant photos first being 1."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    hits = found.hits[:, :depth]
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(found.relevant, depth)]
    result: Shares = (hits * discounts[: hits.shape[1]]).sum(axis=1) / np.where(ideal > 0, ideal, 1)
    return result


def reciprocal_rank(found: Found, depth: int = DEPTH) -> Shares:
    """1 / place of the first relevant photo of each query, 0 where none is among the first `depth`."""
    hits = found.hits[:, :depth]
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def found_by_photos(images: Features, species: Numbers, specimens: Numbers, seed: int = 0, depth: int = DEPTH) -> Found:
    """Each photo asks for its species among the photos of other specimens; of many photos 10,000 are drawn to ask.

    `images` float32 [n, dim] of unit length, `species` and `specimens` int64 [n].
    """
    asking = np.arange(len(images))
    if len(images) > _MOST_QUERIES:
        asking = np.sort(np.random.default_rng(seed).permutation(len(images))[:_MOST_QUERIES])
    hits, relevant = [], []
    at_once = _rows_at_once(len(images))
    for start in range(0, len(asking), at_once):
        rows = asking[start : start + at_once]
        cosines = images[rows] @ images.T
        kin = specimens[rows, None] == specimens[None]
        cosines[kin] = -np.inf
        same = (species[rows, None] == species[None]) & ~kin
        hits.append(_first(cosines, same, depth))
        relevant.append(same.sum(axis=1))
    return _found(hits, relevant, depth)


def nearest_others(images: Features, specimens: Numbers) -> Numbers:
    """The row of the most similar photo of another specimen, for every photo: int64 [n], -1 where there is none."""
    nearest = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(images), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        nearest.append(_nearest(images[part], specimens[part], images, specimens))
    return np.concatenate(nearest)


def _nearest(asking: Features, own: Numbers, images: Features, specimens: Numbers) -> Numbers:
    """That of some photos; of equal cosines the first."""
    best = np.full(len(asking), -np.inf, dtype=np.float32)
    found = np.full(len(asking), -1, dtype=np.int64)
    for first in range(0, len(images), _MOST_CELLS // _AT_ONCE):
        part = slice(first, first + _MOST_CELLS // _AT_ONCE)
        cosines = asking @ images[part].T
        cosines[own[:, None] == specimens[None, part]] = -np.inf
        places = cosines.argmax(axis=1)
        there = np.take_along_axis(cosines, places[:, None], axis=1)[:, 0]
        better = there > best
        best[better], found[better] = there[better], first + places[better]
    return found


def _rows_at_once(count: int) -> int:
    """Photos that are compared with all `count` at a time, so that their cosines take little memory."""
    return max(1, min(_AT_ONCE, _MOST_CELLS // count))


def found_by_texts(texts: Features, images: Features, relevant: Iterator[Relevance], depth: int = DEPTH) -> Found:
    """Texts [q, dim] ask among photos [n, dim]; `relevant` tells for each text which photos are meant: bool [n]."""
    hits, counts = [], []
    for text, meant in zip(texts, relevant, strict=True):
        hits.append(_first((images @ text)[None], meant[None], depth))
        counts.append(meant.sum(keepdims=True))
    return _found(hits, counts, depth)


def _first(scores: Features, meant: Relevance, depth: int) -> Relevance:
    """Whether the photos of the `depth` best scores are meant, best first."""
    depth = min(depth, scores.shape[1])
    best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    order = np.lexsort((best, -np.take_along_axis(scores, best, axis=1)), axis=1)
    return np.take_along_axis(meant, np.take_along_axis(best, order, axis=1), axis=1)


def _found(hits: list[Relevance], relevant: list[Numbers], depth: int) -> Found:
    if not hits:
        return Found(np.empty((0, depth), dtype=np.bool_), np.empty(0, dtype=np.int64))
    return Found(np.concatenate(hits), np.concatenate(relevant).astype(np.int64))
