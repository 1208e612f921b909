"""The curve of a run as a picture: losses, learning rate and accuracy over the steps, from its metrics."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from bioclip_search.errors import UsageError
from bioclip_search.text import printable
from training.metrics import read_metrics

__all__ = ["Plotted", "loss_plot", "ticks", "write_plot"]

Numbers = npt.NDArray[np.float64]

_SIZE = (1200, 720)
_BOX = (90, 60, 1090, 640)  # left, top, right, bottom of the axes
_MOST = 1e30
_TWICE = 2  # drawn so much larger, then made smaller: smooth lines
_INK, _GRID = "#333333", "#e4e4e4"
_COLOURS = {"loss": "#1f5fa8", "replay_loss": "#7a4fa0", "lr": "#d98a1f", "zero_shot": "#2f8a4c"}
_SPREAD = {"loss": "#c5d7ec", "replay_loss": "#dccfe8"}
_WORDS = {"loss": "loss", "replay_loss": "loss of the replay", "lr": "learning rate", "zero_shot": "zero-shot accuracy"}


@dataclass(frozen=True, slots=True)
class Plotted:
    """The picture, None where no step is told; and how many lines of the metrics were skipped, being no steps."""

    path: Path | None
    skipped: int


def write_plot(run: Path) -> Plotted:
    """RUN/loss.png from RUN/metrics.jsonl, whether the run is at its end or not.

    Raises UsageError when it cannot be written, or no step tells a loss.
    """
    told = read_metrics(run / "metrics.jsonl")
    if not told.lines:
        return Plotted(None, told.skipped)
    path = run / "loss.png"
    part = path.with_suffix(".part")
    try:
        loss_plot(told.lines).save(part, "PNG")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{printable(str(path))} cannot be written ({error.strerror}); free some space.") from error
    return Plotted(path, told.skipped)


def loss_plot(lines: Sequence[dict[str, Any]]) -> Image.Image:
    """RGB, 1200 by 720: the loss on the left axis, the learning rate on the right one.

    Where several steps fall on one column of the picture, their mean is drawn, on a band from the least to the
    greatest. The accuracy, where it was measured, is drawn as points from 0 below to 1 above. What is no number is
    left out. Raises UsageError where there is no loss.
    """
    page = _Page()
    steps = _column(lines, "step")
    losses = [name for name in ("loss", "replay_loss") if np.isfinite(_column(lines, name)).any()]
    if not losses:
        raise UsageError("The run's metrics tell no loss that is a number, so there is nothing to draw; name another.")
    values = np.concatenate([_column(lines, name) for name in losses])
    below = _Axis(float(steps[0]), float(max(steps[-1], steps[0] + 1)), page.x)
    left = _Axis.around(float(np.nanmin(values)), float(np.nanmax(values)), page.y)
    right = _Axis.around(0.0, float(np.nanmax(_column(lines, "lr"), initial=0.0)), page.y)
    page.frame(below, left, right)
    for name in losses:
        page.curve(below, left, steps, _column(lines, name), name)
    page.curve(below, right, steps, _column(lines, "lr"), "lr")
    measured = [line for line in lines if math.isfinite(_number(line.get("zero_shot")))]
    if measured:
        page.points(below, _Axis(0, 1, page.y), measured)
    page.legend([*losses, "lr", *(["zero_shot"] if measured else [])], measured)
    return page.finished()


def _column(lines: Sequence[dict[str, Any]], name: str) -> Numbers:
    return np.array([_number(line.get(name)) for line in lines], dtype=np.float64)


def _number(value: object) -> float:
    """NaN for what cannot be drawn."""
    return float(value) if isinstance(value, int | float) and abs(value) < _MOST else math.nan


def ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Round numbers between two others, in steps of 1, 2 or 5 times a power of ten; at most so many."""
    width = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(width))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= width * (1 - 1e-9))
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _told(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


@dataclass(frozen=True)
class _Axis:
    """From values to places on the page; `place` takes a share of the axis."""

    low: float
    high: float
    place: Callable[[float], float]

    @classmethod
    def around(cls, low: float, high: float, place: Callable[[float], float]) -> "_Axis":
        """Wide enough to be told in round numbers; from 0 where that is near."""
        if low > 0 and low < 0.5 * high:
            low = 0.0
        room = max(high - low, 1e-12 + 0.1 * abs(high)) * 0.04
        return cls(low - (room if low else 0), high + room, place)

    def at(self, value: float) -> float:
        return self.place((value - self.low) / (self.high - self.low))


class _Page:
    """The picture under way, in coordinates of the finished one."""

    def __init__(self) -> None:
        width, height = _SIZE
        self._image = Image.new("RGB", (width * _TWICE, height * _TWICE), "white")
        self._draw = ImageDraw.Draw(self._image)
        self._font = ImageFont.load_default(15 * _TWICE)

    @staticmethod
    def x(share: float) -> float:
        return _BOX[0] + share * (_BOX[2] - _BOX[0])

    @staticmethod
    def y(share: float) -> float:
        return _BOX[3] - share * (_BOX[3] - _BOX[1])

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        scaled = [(x * _TWICE, y * _TWICE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=round(width * _TWICE), joint="curve")

    def text(self, x: float, y: float, words: str, anchor: str, colour: str = _INK) -> None:
        self._draw.text((x * _TWICE, y * _TWICE), words, fill=colour, font=self._font, anchor=anchor)

    def frame(self, below: _Axis, left: _Axis, right: _Axis) -> None:
        x0, y0, x1, y1 = _BOX
        for value in ticks(below.low, below.high):
            self.line([(below.at(value), y1), (below.at(value), y1 + 6)], _INK)
            self.text(below.at(value), y1 + 10, _told(value), "mt")
        for value in ticks(left.low, left.high):
            self.line([(x0, left.at(value)), (x1, left.at(value))], _GRID)
            self.text(x0 - 10, left.at(value), _told(value), "rm", _COLOURS["loss"])
        for value in ticks(right.low, right.high):
            self.line([(x1, right.at(value)), (x1 + 6, right.at(value))], _INK)
            self.text(x1 + 10, right.at(value), f"{value:.3g}", "lm", _COLOURS["lr"])
        self.line([(x0, y0), (x0, y1), (x1, y1), (x1, y0)], _INK, 1.5)
        self.text((x0 + x1) / 2, y1 + 42, "step", "mt")

    def curve(self, below: _Axis, side: _Axis, steps: Numbers, values: Numbers, name: str) -> None:
        there = np.isfinite(values)
        steps, values = steps[there], values[there]
        columns = np.round([below.at(step) for step in steps]).astype(np.int64)
        parts = [values[columns == column] for column in np.unique(columns)]
        places = [float(column) for column in np.unique(columns)]
        if name in _SPREAD and len(steps) > len(places):
            for x, part in zip(places, parts, strict=True):
                self.line([(x, side.at(float(part.min()))), (x, side.at(float(part.max())))], _SPREAD[name], 1.5)
        points = [(x, side.at(float(part.mean()))) for x, part in zip(places, parts, strict=True)]
        if len(points) == 1:
            self.dot(*points[0], _COLOURS[name])
        elif points:
            self.line(points, _COLOURS[name], 2)

    def dot(self, x: float, y: float, colour: str) -> None:
        circle = [one * _TWICE for one in (x - 4, y - 4, x + 4, y + 4)]
        self._draw.ellipse(circle, fill=colour)

    def points(self, below: _Axis, side: _Axis, measured: Sequence[dict[str, Any]]) -> None:
        places = [(below.at(line["step"]), side.at(line["zero_shot"])) for line in measured]
        if len(places) > 1:
            self.line(places, _COLOURS["zero_shot"], 1)
        for x, y in places:
            self.dot(x, y, _COLOURS["zero_shot"])

    def legend(self, names: Sequence[str], measured: Sequence[dict[str, Any]]) -> None:
        x = float(_BOX[0])
        for name in names:
            words = _WORDS[name]
            if name == "zero_shot":
                words += f" (0 to 1; best {max(line['zero_shot'] for line in measured):.3f})"
            self.line([(x, 32), (x + 24, 32)], _COLOURS[name], 3)
            self.text(x + 32, 32, words, "lm")
            x += 32 + self._font.getlength(words) / _TWICE + 32

    def finished(self) -> Image.Image:
        return self._image.resize(_SIZE, Image.Resampling.LANCZOS)
