"""Batches in which no group occurs twice: as many as there can be, which follows from the groups' sizes alone."""

import numpy as np
import numpy.typing as npt

__all__ = ["most_batches", "unique_batches"]

Numbers = npt.NDArray[np.int64]


def most_batches(groups: Numbers, rows: int) -> int:
    """The largest number k of batches of `rows` samples of different groups that an epoch can have.

    A group gives k batches at most k samples; so many samples must be k · rows or more.
    """
    sizes = np.unique(groups, return_counts=True)[1]
    low, high = 0, len(groups) // rows
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(sizes, middle).sum() >= middle * rows:
            low = middle
        else:
            high = middle - 1
    return low


def unique_batches(groups: Numbers, rows: int, rng: np.random.Generator) -> Numbers:
    """int64 [most_batches, rows]: samples, none twice, no two of a batch of one group (int64, one a sample).

    The samples, group by group, are dealt to all batches in turn, a row at a time; a row's order is random but
    for a group that lies in two rows, whose samples must come into different batches.
    """
    count = most_batches(groups, rows)
    samples = _taken(groups, count, count * rows, rng)
    names, inverse = np.unique(groups[samples], return_inverse=True)
    samples = samples[np.argsort(rng.permutation(len(names))[inverse], kind="stable")]
    batches = np.empty((count, rows), dtype=np.int64)
    before = places = np.empty(0, dtype=np.int64)
    for row, part in enumerate(samples.reshape(rows, count)):
        first = groups[part[0]]
        places = _avoiding(places[groups[before] == first], int((groups[part] == first).sum()), count, rng)
        batches[places, row] = part
        before = part
    return batches


def _taken(groups: Numbers, count: int, wanted: int, rng: np.random.Generator) -> Numbers:
    """So many samples at random, of each group at most `count`."""
    order = rng.permutation(len(groups))
    by_group = order[np.argsort(groups[order], kind="stable")]
    sizes = np.unique(groups, return_counts=True)[1]
    within = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rng.permutation(by_group[within < count])[:wanted]


def _avoiding(used: Numbers, head: int, count: int, rng: np.random.Generator) -> Numbers:
    """All of `count` batches in random order, the first `head` of them none of `used`."""
    free = rng.permutation(np.setdiff1d(np.arange(count), used))
    return np.concatenate([free[:head], rng.permutation(np.concatenate([free[head:], used]))])
