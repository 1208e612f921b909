"""Text embeddings of the TreeOfLife data sets, as they are published: FILE.npy with FILE.json beside it.

The array is float32 [dim, n], a column a taxon; the JSON file is a list of n pairs, seven names (the last
one is the species' epithet) and a common name, “” where one is missing. The published files hold columns
of nothing but zeros, which stand for no taxon.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bioclip_search.embedder import Features
from bioclip_search.errors import ModelMismatch, RecordError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.identification.taxa import Mask, TaxonTable, TaxonTableBuilder
from bioclip_search.identification.text_origin import TextOrigin
from bioclip_search.text import clean, printable

__all__ = ["TreeOfLifeTexts", "read_published_taxa"]

_BLOCK_BYTES = 64 * 2**20
_LENGTH_ERROR = 0.01  # float16 rounds a length of 1 by less
_BETWEEN = re.compile(r"[\s,]*")


class TreeOfLifeTexts:
    """The taxa of a file of text embeddings, and their features, which stay on disk.

    `present` is bool [n]: which columns stand for a taxon; `origin` is None where the files do not say of which model
    they are.
    """

    def __init__(self, file: Path) -> None:
        """Raises RecordError for files that cannot be read or used, or do not fit each other."""
        names = file.with_suffix(".json")
        self._shown = printable(str(file))
        self._array = _mapped(file, self._shown)
        self.taxa = read_published_taxa(names)
        columns = self._array.shape[1]
        if len(self.taxa) != columns:
            raise RecordError(
                f"{self._shown} has {columns:,} columns, but the JSON file beside it names {len(self.taxa):,} taxa; "
                "take both from the same release."
            )
        self.origin = TextOrigin.read(file, names)
        self.present = self._checked()

    def require_model(self, model: Fingerprint) -> None:
        """Raise RecordError or ModelMismatch unless a model's features can be compared with these.

        Without an `origin` only the number of dimensions tells.
        """
        if self.origin is not None and not self.origin.model.same_texts(model):
            raise ModelMismatch(
                f"The text embeddings {self._shown} are of the model {printable(str(self.origin.model))}, not of "
                f"{printable(str(model))}; write them for this one with `bioclip-search train texts --model`, or give "
                "--model with theirs."
            )
        if self._array.shape[0] != model.dim:
            raise RecordError(
                f"{self._shown} has {self._array.shape[0]} rows, but the model's features have {model.dim} dimensions; "
                "name the text embeddings of the model in use, [dimensions, taxa]."
            )

    def blocks(self) -> Iterator[Features]:
        """The columns in their order, float32 [dim, some thousand]; columns that hold no taxon are all 0."""
        dim, count = self._array.shape
        size = max(1, _BLOCK_BYTES // (4 * max(1, dim)))
        for start in range(0, count, size):
            yield np.asarray(self._array[:, start : start + size], dtype=np.float32)

    def _checked(self) -> Mask:
        """Which columns are not all 0. Raises RecordError unless these are finite and of unit length."""
        squares = [np.einsum("ij,ij->j", block, block) for block in self.blocks()]
        length = np.sqrt(np.concatenate([np.empty(0, dtype=np.float32), *squares]))
        if len(broken := np.flatnonzero(~np.isfinite(length))):
            raise RecordError(
                f"{self._shown} holds values that are no finite numbers, first in column {broken[0] + 1:,}; copy it "
                "again, or write it anew with `bioclip-search train texts`."
            )
        present: Mask = length > 0
        if len(wrong := np.flatnonzero(present & (np.abs(length - 1) > _LENGTH_ERROR))):
            raise RecordError(
                f"The vectors of {self._shown} are not of length 1 (column {wrong[0] + 1:,}: {length[wrong[0]]:.4g}), "
                "so they cannot be compared; divide each column by its length, or name another file."
            )
        if not present.any():
            raise RecordError(f"{self._shown} holds nothing but zeros; copy it again, or name another file.")
        return present


def _mapped(file: Path, shown: str) -> np.ndarray:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        reason = error.strerror or "it is not whole"
        raise RecordError(f"The text embeddings {shown} cannot be read ({reason}); check the path.") from error
    except (ValueError, EOFError) as error:
        raise RecordError(f"{shown} is not a .npy file of numbers; copy it again.") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        raise RecordError(f"{shown} is not a table of floating-point numbers [dimensions, taxa]; name another file.")
    return array


def read_published_taxa(file: Path) -> TaxonTable:
    """The taxa of a JSON file of names. Raises RecordError."""
    shown = printable(str(file))
    builder = TaxonTableBuilder()
    try:
        for entry in _entries(file.read_text(encoding="utf-8")):
            builder.add(*_names(entry))
    except OSError as error:
        raise RecordError(
            f"The names of the text embeddings, {shown}, cannot be read ({error.strerror}); put them beside the array."
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordError(
            f"{shown} is not a list of [[seven names], common name] in JSON; copy it again from the same release."
        ) from error
    return builder.table()


def _entries(text: str) -> Iterator[Any]:
    """The entries of a JSON list one by one: all at once, those of 900,000 taxa would fill a gigabyte."""
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 0)
    if text[at : at + 1] != "[":
        raise ValueError("no list")
    at = _after_blanks(text, at + 1)
    while text[at : at + 1] != "]":
        entry, at = decoder.raw_decode(text, at)
        yield entry
        at = _after_blanks(text, at)


def _after_blanks(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _names(entry: Any) -> tuple[list[str | None], str | None]:
    """Seven names of which the last is the whole species', and the common name."""
    (kingdom, phylum, class_, order, family, genus, epithet), common = entry
    genus, epithet = _clean(genus), _clean(epithet)
    species = f"{genus} {epithet}" if genus and epithet else None
    wider = (kingdom, phylum, class_, order, family)
    return [*map(_clean, wider), genus, species], _clean(common)


@lru_cache(maxsize=100_000)
def _clean(name: str | None) -> str | None:
    return clean(name)
