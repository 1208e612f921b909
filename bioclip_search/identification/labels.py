"""Labels of one's own instead of taxa: views, labels, drawers; and bins that hold several."""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.errors import RecordError, UsageError
from bioclip_search.text import clean, printable

__all__ = ["Labels", "read_bins", "read_labels"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels that are put to the model, and the class that each one counts for.

    `classes` are the labels themselves, or the bins; `class_of` has a row of `classes` for every label.
    """

    labels: tuple[str, ...]
    classes: tuple[str, ...]
    class_of: tuple[int, ...]

    def best(self, probabilities: npt.NDArray[np.float32], limit: int | None) -> list[tuple[str, float]]:
        """The classes with their summed probabilities, best first; `probabilities` is float32 [labels]."""
        sums = np.bincount(np.asarray(self.class_of), weights=probabilities, minlength=len(self.classes))
        order = np.argsort(-sums, kind="stable")[:limit]
        return [(self.classes[place], float(sums[place])) for place in order]


def read_labels(value: str) -> Labels:
    """Labels separated by commas; or those of a file, one a line, where a comma is part of the label.

    Raises UsageError when there are none, RecordError for a file that cannot be read.
    """
    is_file = os.path.isfile(value)  # unlike Path.is_file, False for what cannot be a path
    parts = _text(Path(value)).splitlines() if is_file else value.split(",")
    labels = tuple(dict.fromkeys(label for part in parts if (label := clean(part))))
    if not labels:
        raise UsageError('There is no label; give --labels "dorsal view,ventral view", or a file with one a line.')
    return Labels(labels, labels, tuple(range(len(labels))))


def read_bins(file: Path) -> Labels:
    """Labels and their bins: the first two columns of a CSV file with a header line.

    Raises RecordError for a file that has them not, or a label without a bin.
    """
    shown = printable(str(file))
    bin_of: dict[str, str] = {}
    for row in _rows(_text(file), shown):
        label, bin_ = clean(row[0]), clean(row[1]) if len(row) > 1 else None
        if label and bin_ is None:
            raise RecordError(f"The label “{label}” in {shown} has no bin; write one into the second column.")
        if label and bin_:
            bin_of[label] = bin_
    if not bin_of:
        raise RecordError(f"{shown} holds no labels; write a header line, then a label and its bin in each line.")
    classes = tuple(dict.fromkeys(bin_of.values()))
    return Labels(tuple(bin_of), classes, tuple(classes.index(bin_) for bin_ in bin_of.values()))


def _rows(text: str, shown: str) -> Sequence[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row][1:]
    except csv.Error as error:
        raise RecordError(f"{shown} is not a readable CSV file ({error}); export it again as UTF-8 CSV.") from error


def _text(file: Path) -> str:
    shown = printable(str(file))
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"{shown} is not UTF-8 text; save it as such.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordError(f"{shown} cannot be read ({reason}); check its path.") from error
