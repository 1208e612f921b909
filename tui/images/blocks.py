"""A picture as quadrant blocks: four pixels and two colours in every cell of a terminal.

A cell is taken to be twice as high as wide, so that a quarter of it is, too.
"""

from functools import lru_cache
from itertools import starmap

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

__all__ = ["GLYPHS", "RGB", "blocks", "fitted"]

RGB = tuple[int, int, int]

GLYPHS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the quarters that have the first colour: 1 top left, 2 top right, 4 bottom left, 8 bottom right."""

_FULL = 15

# A cell is split at the brightness that leaves least error: every way to part four pixels in two, of
# which the last holds the pixel at the bottom right. The first way is not to part them.
_PARTS = np.array([[part >> quarter & 1 for quarter in range(4)] for part in range(8)], dtype=np.float32)
_SIZES = np.stack([_PARTS.sum(axis=1), 4 - _PARTS.sum(axis=1)], axis=1).clip(min=1)

# Two colours nearer than this (squared distance to their mean, of four pixels) are drawn as one …
_SAME_IN_CELL = 250.0
# … and a cell takes its neighbour's colours if they differ no more than this in any channel: that saves
# half of the bytes that a terminal far away must be sent, and is not seen.
_SAME_AS_NEIGHBOUR = 8


def blocks(image: Image.Image, width: int, height: int, background: RGB) -> list[list[Segment]]:
    """`height` rows of Segments, each `width` cells wide: the whole picture, in the middle of the background.

    It is as large as fits, and nothing of it is cut off. Each cell has the two colours that come nearest to its
    four pixels (the split of least squared error). Runs of cells with the same colours are one Segment.
    """
    pixels = _pixels(image, width, height, background)
    first, second, glyphs = _two_colours(pixels)
    return [list(_row(*row)) for row in zip(first.tolist(), second.tolist(), glyphs.tolist(), strict=True)]


def fitted(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The columns and rows of quarter cells that a picture takes within width × height cells: at least one of each."""
    scale = min(width / max(size[0], 1), 2 * height / max(size[1], 1))
    columns, rows = round(2 * size[0] * scale), round(size[1] * scale)
    return min(max(columns, 1), 2 * width), min(max(rows, 1), 2 * height)


def _pixels(image: Image.Image, width: int, height: int, background: RGB) -> npt.NDArray[np.float32]:
    """The quarters of all cells, float32 [height, width, 4, 3]."""
    columns, rows = fitted(image.size, width, height)
    small = image.convert("RGB").resize((columns, rows), Image.Resampling.LANCZOS, reducing_gap=2.0)
    canvas = Image.new("RGB", (2 * width, 2 * height), background)
    canvas.paste(small, ((2 * width - columns) // 2, (2 * height - rows) // 2))
    quarters = np.asarray(canvas, dtype=np.float32).reshape(height, 2, width, 2, 3)
    return quarters.transpose(0, 2, 1, 3, 4).reshape(height, width, 4, 3)


def _two_colours(
    pixels: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.intp]]:
    """For every cell the colours uint8 [height, width, 3] of the two parts, and the glyph of the first [height, width].

    The error of a split is the sum of squares less what the parts' means account for, so that the largest
    |sum|² / n, summed over the parts, is the best.
    """
    height, width = pixels.shape[:2]
    cells = pixels.reshape(-1, 4, 3)
    first = np.einsum("pq,nqc->npc", _PARTS, cells)
    sums = np.stack([first, cells.sum(axis=1)[:, None] - first], axis=2)  # [cells, parts, 2, 3]
    told = (np.square(sums).sum(axis=3) / _SIZES).sum(axis=2)
    told[:, 0] += _SAME_IN_CELL
    best = told.argmax(axis=1)
    means = sums[np.arange(len(cells)), best] / _SIZES[best][:, :, None]
    # 64 steps a channel are enough for the eye, and make colours alike.
    colours = np.rint(np.rint(means * (63 / 255)) * (255 / 63)).clip(0, 255).astype(np.uint8)
    shape = (height, width, 3)
    return colours[:, 0].reshape(shape), colours[:, 1].reshape(shape), best.reshape(height, width)


def _row(first: list[list[int]], second: list[list[int]], glyphs: list[int]) -> list[Segment]:
    """The Segments of one row; `first` colours the glyph, `second` lies behind it."""
    runs: list[tuple[str, list[int], list[int]]] = []
    text, fore, back = "", first[0], second[0]
    for glyph, ink, paper in zip(glyphs, first, second, strict=True):
        if text.isspace() and glyph:  # what was blank so far has no first colour yet
            fore = ink if _alike(paper, back) else paper
        same = _in_colours(glyph, ink, paper, fore, back) if text else None
        if same is not None:
            text += GLYPHS[same]
            continue
        if text:
            runs.append((text, fore, back))
        text, fore, back = GLYPHS[glyph], ink, paper
    runs.append((text, fore, back))
    return list(starmap(_segment, runs))


def _in_colours(glyph: int, ink: list[int], paper: list[int], fore: list[int], back: list[int]) -> int | None:
    """The glyph that shows a cell in the colours of its neighbour; None where they differ."""
    if _alike(paper, back) and (glyph == 0 or _alike(ink, fore)):
        return glyph
    if _alike(paper, fore) and (glyph == 0 or _alike(ink, back)):
        return _FULL - glyph
    return None


def _alike(one: list[int], other: list[int]) -> bool:
    return (
        abs(one[0] - other[0]) <= _SAME_AS_NEIGHBOUR
        and abs(one[1] - other[1]) <= _SAME_AS_NEIGHBOUR
        and abs(one[2] - other[2]) <= _SAME_AS_NEIGHBOUR
    )


def _segment(text: str, fore: list[int], back: list[int]) -> Segment:
    if text.isspace():
        return Segment(text, _style(None, tuple(back)))
    return Segment(text, _style(tuple(fore), tuple(back)))


@lru_cache(4_096)
def _style(fore: tuple[int, ...] | None, back: tuple[int, ...]) -> Style:
    """A style takes longer to make than a tile to look at; photos of one collection share their colours."""
    return Style(color=None if fore is None else _color(fore), bgcolor=_color(back))


@lru_cache(4_096)
def _color(channels: tuple[int, ...]) -> Color:
    return Color.from_triplet(ColorTriplet(*channels))
