"""From logits to probabilities."""

import numpy as np
import numpy.typing as npt

__all__ = ["TEMPERATURES", "softmax"]

TEMPERATURES = (0.01, 100.0)
"""The lowest and the highest temperature: below one answer is certain whatever is shown, above all are alike."""


def softmax(logits: npt.NDArray[np.float32], temperature: float = 1.0) -> npt.NDArray[np.float32]:
    """exp(logits / temperature), made to sum to 1 over the last axis: float32 [m, n].

    -inf is a probability of 0; a row of nothing else is all 0.
    """
    scaled = logits / np.float32(temperature)
    highest = scaled.max(axis=-1, keepdims=True, initial=-np.inf)
    powers = np.exp(scaled - np.where(np.isfinite(highest), highest, 0))
    total = powers.sum(axis=-1, keepdims=True, dtype=np.float64)
    shares: npt.NDArray[np.float32] = (powers / np.where(total > 0, total, 1)).astype(np.float32)
    return shares
