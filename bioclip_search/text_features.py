"""Text features that are kept: what was embedded once needs no model the next time.

A name is put into the 80 templates of CLIP, as BioCLIP's zero-shot evaluation does (Stevens et al.
2024, section 5); a sentence is embedded as it is. Kept by model in one SQLite file in the user's cache.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path

import numpy as np

from bioclip_search.config import cache_folder
from bioclip_search.embedder import Embedder, Features
from bioclip_search.fingerprint import Fingerprint

__all__ = ["TextFeatures", "TextKind"]

_log = logging.getLogger(__name__)

_AT_ONCE = 64
_MOST_KEPT = 200_000
# Of the sentences that names are put into: another number when they change.
_PROMPTS = "1"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS feature (model TEXT, kind TEXT, text TEXT, vector BLOB, "
    "PRIMARY KEY (model, kind, text))"
)


class TextKind(StrEnum):
    """How a text is put to the model."""

    SENTENCE = "sentence"
    NAME = "name"


class TextFeatures:
    """Features of texts for one model; `load` is called only when one is not kept yet.

    `load` gives an Embedder, or raises what loading raises, or ModelMismatch.
    """

    def __init__(
        self, fingerprint: Fingerprint, load: Callable[[], Embedder], folder: Path | None = None, *, dtype: str = ""
    ) -> None:
        """With `dtype` only features that were computed in these numbers are taken, and kept as such."""
        self._dim = fingerprint.dim
        parts = (_PROMPTS, fingerprint.architecture, fingerprint.weights_sha256, *([dtype] if dtype else []))
        self._model = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        self._load = load
        self._file = (folder or cache_folder()) / "text-features-2.sqlite"

    def of(self, texts: Sequence[str], kind: TextKind, progress: Callable[[int], None] | None = None) -> Features:
        """Unit-length float32 [n, dim]; `progress` is told how many more of the distinct texts are done."""
        wanted = list(dict.fromkeys(texts))
        found = self._kept(wanted, kind)
        if progress and found:
            progress(len(found))
        missing = [text for text in wanted if text not in found]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            model = self._load()
            features = model.encode_names(part) if kind is TextKind.NAME else model.encode_texts(part)
            self._keep(part, kind, features)
            found.update(zip(part, features, strict=True))
            if progress:
                progress(len(part))
        return np.stack([found[text] for text in texts]) if texts else np.empty((0, self._dim), dtype=np.float32)

    def _kept(self, texts: Sequence[str], kind: TextKind) -> dict[str, Features]:
        found: dict[str, Features] = {}
        with self._cache() as cache:
            if cache is None:
                return found
            for text in texts:
                row = cache.execute(
                    "SELECT vector FROM feature WHERE model = ? AND kind = ? AND text = ?", (self._model, kind, text)
                ).fetchone()
                if row and len(row[0]) == 4 * self._dim:
                    found[text] = np.frombuffer(row[0], dtype=np.float32)
        return found

    def _keep(self, texts: Sequence[str], kind: TextKind, features: Features) -> None:
        rows = [(self._model, kind, text, vector.tobytes()) for text, vector in zip(texts, features, strict=True)]
        with self._cache() as cache:
            if cache is None:
                return
            cache.executemany("INSERT OR REPLACE INTO feature VALUES (?, ?, ?, ?)", rows)
            # Row ids grow with time: the oldest make room.
            cache.execute("DELETE FROM feature WHERE rowid <= (SELECT max(rowid) FROM feature) - ?", (_MOST_KEPT,))

    @contextmanager
    def _cache(self) -> "Iterator[sqlite3.Connection | None]":
        """The open cache, committed at the end; None where there can be none, for it is only a convenience."""
        connection = _opened(self._file)
        if connection is None:
            yield None
            return
        with closing(connection):
            try:
                with connection:
                    yield connection
            except sqlite3.Error:
                _log.debug("the cache %s cannot be used", self._file, exc_info=True)


def _opened(file: Path) -> sqlite3.Connection | None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=10)
        try:
            connection.execute(_TABLE)
        except sqlite3.Error as error:
            connection.close()
            if not isinstance(error, sqlite3.OperationalError):
                file.unlink()  # it is no database; the next time there is a new one
            return None
    except (OSError, sqlite3.Error):
        _log.debug("the cache %s cannot be opened", file, exc_info=True)
        return None
    return connection
