"""Embeddings as codes: principal components, each rounded to 8 bits on a scale of its own.

The cosine of a query and a photo is q·x = q·mean + p·y, where y are the photo's components, p the
query's. With code c = round(y / step), p·y is nearly (p * step)·c, a product of small integers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Codec", "CodedQuery"]

Vectors = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int8]

_LARGEST = 127
# Components reach this many standard deviations before they are cut off.
_REACH = 6.0
# Standard deviations that what is left to chance is allowed to be off.
_SURE = 5.0
# Scores are added up in float32.
_ADDED = 2e-6
_SMALLEST_SPREAD = 1e-6
_NO_ENERGY = 1e-12


@dataclass(frozen=True)
class Codec:
    """`mean` float32 [dim]; `basis` float32 [dim, dim], its columns the components, the widest first;
    `spread` float32 [dim], the standard deviation of each."""

    mean: Vectors
    basis: Vectors
    spread: Vectors

    @classmethod
    def fit(cls, sample: Vectors) -> "Codec":
        """The mean's direction and then the principal components of a sample, float32 [n, dim] with n > 0."""
        mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        # Every query has much of the mean in it. As a component of its own, that is no part of what is left to chance.
        turn = np.linalg.qr(np.column_stack([mean, np.eye(len(mean), len(mean) - 1, -1)]).astype(np.float64))[0]
        turned = (sample - mean) @ turn
        variances, inner = np.linalg.eigh(turned[:, 1:].T @ turned[:, 1:] / len(sample))
        spread = np.sqrt(np.maximum([np.square(turned[:, 0]).mean(), *variances[::-1]], 0.0))
        basis = np.column_stack([turn[:, 0], turn[:, 1:] @ inner[:, ::-1]])
        return cls(
            mean,
            np.ascontiguousarray(basis, dtype=np.float32),
            np.maximum(spread, _SMALLEST_SPREAD).astype(np.float32),
        )

    @property
    def dim(self) -> int:
        return len(self.mean)

    @property
    def step(self) -> Vectors:
        """What one unit of a code is worth in each component, float32 [dim]."""
        step: Vectors = self.spread * np.float32(_REACH / _LARGEST)
        return step

    def encode(self, embeddings: Vectors) -> tuple[Codes, Vectors]:
        """Unit-length float32 [n, dim] -> int8 [n, dim], and what was cut off, float32 [n].

        What was cut off is a length: by so much at most a cosine may be wrong beside the rounding.
        """
        units = (embeddings - self.mean) @ (self.basis / self.step)
        codes = np.clip(np.rint(units), -_LARGEST, _LARGEST)
        beyond = np.abs(units) - (_LARGEST + 0.5)
        lost = np.linalg.norm(np.maximum(beyond, 0) * self.step, axis=1)
        return codes.astype(np.int8), lost.astype(np.float32)

    def ask(self, query: Vectors, ends: Sequence[int]) -> "CodedQuery":
        """A query float32 [dim], cut behind the components that `ends` names, as the codes are."""
        components = query @ self.basis
        weights = components * self.step
        parts, units, rounding = [], [], 0.0
        unseen = []
        for start, end in pairwise((0, *ends)):
            part, unit = _rounded(weights[start:end])
            parts.append(part)
            units.append(unit)
            # Weights and codes are off by up to half a unit, evenly; codes spread over a part of what 8 bits hold.
            rounding += (end - start) * (unit**2 / 12) * (_LARGEST / _REACH) ** 2
            rounding += float(np.square(weights[start:end]).sum()) / 12
            chance = float(np.square(components[end:] * self.spread[end:]).sum())
            unseen.append(_SURE * math.sqrt(chance + rounding) + _ADDED + self._alike(components, end))
        return CodedQuery(tuple(parts), tuple(units), tuple(unseen))

    def _alike(self, components: Vectors, end: int) -> float:
        """What the components behind `end` may add for photos that are like the query there too, as copies are:
        no chance, but their common length. What is much longer there than photos are, as texts are, is like none."""
        energy = float(np.square(self.spread[end:]).sum())
        length = float(np.linalg.norm(components[end:]))
        return min(length * math.sqrt(energy), energy, 4 * energy**2 / max(length**2, _NO_ENERGY))


@dataclass(frozen=True)
class CodedQuery:
    """The query's weights in parts, int8 [end - start], each in units of its own.

    `unseen` is, after each part, by how much in cosine a photo's score may still be larger.
    """

    parts: tuple[Codes, ...]
    units: tuple[float, ...]
    unseen: tuple[float, ...]


def _rounded(weights: Vectors) -> tuple[Codes, float]:
    unit = float(np.abs(weights).max(initial=0.0)) / _LARGEST or 1.0
    return np.rint(weights / unit).astype(np.int8), unit
