"""The scan: which photos' codes score best against a query.

1. The first part of every code that is asked for is multiplied with the query's.
2. The whole codes of the few that look best so far give a score that the best surely reach.
3. Photos that may still reach it, for all that the parts not yet seen may add, are looked at part by part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bioclip_search.nearest.codes import CodedQuery, Codes, Vectors

__all__ = ["Coded", "Places", "Scores", "best", "part_ends", "reaching"]

Places = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

# Of a million photos, 128 components are what a core's memory delivers in some 7 ms.
_ENDS = (128, 256)

_BLOCK = 512
# Above this share it is faster to multiply all than to pick out those that are asked for.
_MOST_OF = 0.3


def part_ends(dim: int) -> tuple[int, ...]:
    """Behind which components the codes of embeddings [dim] are cut into parts."""
    return (*(end for end in _ENDS if end < dim), dim)


@dataclass(frozen=True)
class Coded:
    """The codes of n photos: `parts` int8 [n, end - start], perhaps mapped files, and `lost` float32 [n], by how much
    their scores may be wrong because something was cut off."""

    parts: Sequence[Codes]
    lost: Vectors


def best(query: CodedQuery, coded: Coded, count: int, among: Places | None = None) -> tuple[Places, Scores]:
    """The places of the `count` codes that may score best, best first, and the most that they may score (cosine
    less a constant, rounding left aside).

    `among` are the ascending places that may be found, all without it.
    """
    first = _first(query, coded, among)
    places, scores = _reaching(query, coded, first, _surely_reached(query, coded, first, count, among), among)
    order = np.argsort(-scores, kind="stable")[:count]
    return places[order], scores[order]


def reaching(query: CodedQuery, coded: Coded, least: float, among: Places | None = None) -> Places:
    """The places of all codes that may reach a score."""
    return _reaching(query, coded, _first(query, coded, among), least, among)[0]


def _surely_reached(query: CodedQuery, coded: Coded, first: Scores, count: int, among: Places | None) -> float:
    """A score that `count` codes have at least."""
    if len(first) <= count:
        return -np.inf
    likely = np.flatnonzero(first >= _reached_by(first, count))
    places = likely if among is None else among[likely]
    least = _completed(query, coded.parts, places, first[likely]) - 2 * coded.lost[places]
    return float(np.partition(least, len(least) - count)[len(least) - count])


def _reaching(
    query: CodedQuery, coded: Coded, first: Scores, least: float, among: Places | None
) -> tuple[Places, Scores]:
    # Whatever is done to all photos takes a millisecond and more of a million, so this is the only pass.
    possible = np.flatnonzero(first >= least - query.unseen[0])
    places, scores = possible if among is None else among[possible], first[possible]
    for level in range(1, len(coded.parts)):
        scores = scores + _product(query, level, _taken(coded.parts[level], places))
        remaining = scores >= least - query.unseen[level]
        places, scores = places[remaining], scores[remaining]
    return places, scores


def _first(query: CodedQuery, coded: Coded, among: Places | None) -> Scores:
    """The scores by the first part, and by what may have been cut off."""
    codes = coded.parts[0]
    if among is None:
        scores = _product(query, 0, codes)
    elif len(among) > _MOST_OF * len(codes):
        scores = _product(query, 0, codes)[among]
    else:
        scores = _product(query, 0, _taken(codes, among))
    scores += coded.lost if among is None else coded.lost[among]
    return scores


def _completed(query: CodedQuery, parts: Sequence[Codes], places: Places, scores: Scores) -> Scores:
    for level in range(1, len(parts)):
        scores = scores + _product(query, level, _taken(parts[level], places))
    return scores


def _taken(codes: Codes, places: Places) -> Codes:
    """The rows at places; indexing takes six times as long."""
    return np.take(codes, places, axis=0)


def _product(query: CodedQuery, level: int, codes: Codes) -> Scores:
    """int8 [n, d] times the query's part int8 [d] -> float32 [n], in cosine."""
    if len(codes) == 0:
        return np.zeros(0, dtype=np.float32)
    import simsimd

    products: Scores = np.asarray(simsimd.cdist(query.parts[level][None], codes, "dot", out_dtype="float32"))[0]
    products *= np.float32(query.units[level])
    return products


def _reached_by(scores: Scores, count: int) -> float:
    """A score that at least `count` reach, and not many more: the best of blocks tell, without sorting all."""
    blocks = len(scores) // _BLOCK
    tops = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1) if blocks >= 4 * count else scores
    return float(np.partition(tops, len(tops) - count)[len(tops) - count])
