"""Which text is nearest: probabilities over texts, as BioCLIP's zero-shot evaluation has them.

softmax(logit_scale × cosine), with the texts put into the 80 templates (Stevens et al. 2024, section 5).
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features

__all__ = ["TextClasses"]


class TextClasses:
    """Features of texts, streamed in blocks, and the model's logit scale."""

    def __init__(
        self,
        blocks: Callable[[], Iterable[Features]],
        count: int,
        logit_scale: float,
        rows: npt.NDArray[np.int64] | None = None,
    ) -> None:
        """`blocks` gives columns [dim, some], `count` in all; only those of `rows` (ascending) are compared."""
        self._blocks = blocks
        self._rows = np.arange(count) if rows is None else rows
        self._scale = np.float32(logit_scale)

    def logits(self, vectors: Features) -> npt.NDArray[np.float32]:
        """[n, dim] -> float32 [n, rows]; -inf where a column is all 0, which is no text."""
        logits = np.empty((len(vectors), len(self._rows)), dtype=np.float32)
        start = done = 0
        for block in self._blocks():
            end = start + block.shape[1]
            count = int(np.searchsorted(self._rows, end)) - done
            if count:
                wanted = block if count == block.shape[1] else block[:, self._rows[done : done + count] - start]
                part = self._scale * (vectors @ wanted)
                part[:, ~wanted.any(axis=0)] = -np.inf
                logits[:, done : done + count] = part
            start, done = end, done + count
        return logits
