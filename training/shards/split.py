"""Which specimens are for training and which for validation: by taxon, by specimen, and by the seed alone."""

import hashlib
import math

__all__ = ["ORDER", "TRAIN", "UNSEEN", "VAL", "draw", "share_for_validation"]

TRAIN, VAL, UNSEEN = "train", "val", "unseen"

ORDER = (UNSEEN, VAL, TRAIN)
"""The order in which splits are written: of a file that occurs in two, the one for testing is kept."""

_BITS = 63


def draw(seed: int, *words: str) -> int:
    """A number from 0 to 2^63 - 1 that follows from the seed and the words, whatever else there is."""
    text = "\0".join((str(seed), *words))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> (64 - _BITS)


def share_for_validation(specimens: int, share: float, drawn: int) -> int:
    """How many of a taxon's specimens are for validation.

    The share of them, rounded up or down by what was drawn for the taxon, so that over many small taxa it
    is met on average; at least one stays for training.
    """
    wanted = specimens * share
    rounded = math.floor(wanted) + (drawn < wanted % 1 * (1 << _BITS))
    return min(rounded, specimens - 1)
