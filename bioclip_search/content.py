"""Which contents are there: a set of SHA-256 digests that stays small at millions of them."""

from collections.abc import Container

import numpy as np
import numpy.typing as npt

__all__ = ["ContentSet"]


class ContentSet(Container[str]):
    """Content hashes, each kept as 64 of its bits: 8 bytes a photo, a false hit in 10^13 at a million."""

    def __init__(self, hashes: npt.NDArray[np.uint64]) -> None:
        """`hashes`: uint64 [n], as `key` makes them."""
        self._keys = np.sort(hashes)

    @staticmethod
    def key(content_hash: str) -> int:
        """The first 64 bits of a content hash."""
        return int(content_hash[:16], 16)

    def __contains__(self, content_hash: object) -> bool:
        if not isinstance(content_hash, str) or not len(self._keys):
            return False
        key = np.uint64(self.key(content_hash))
        at = int(np.searchsorted(self._keys, key))
        return at < len(self._keys) and bool(self._keys[at] == key)
