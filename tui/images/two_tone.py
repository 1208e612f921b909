"""A picture without colours, for output that has none: its outline, in the glyphs of `blocks`."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from tui.images.blocks import GLYPHS, fitted

__all__ = ["two_tone"]

_LEAST = 16.0
"""A distance that a plain backdrop reaches, too."""

_QUARTERS = np.array([[1, 2], [4, 8]])


def two_tone(image: Image.Image, width: int, height: int) -> list[str]:
    """`height` lines of `width` cells, filled where the colour is far from that of the picture's edge.

    Whether a terminal is dark or light is not known here: the backdrop of a specimen is blank on both.
    """
    columns, rows = fitted(image.size, width, height)
    small = image.convert("RGB").resize((columns, rows), Image.Resampling.LANCZOS, reducing_gap=2.0)
    left, top = (2 * width - columns) // 2, (2 * height - rows) // 2
    filled = np.zeros((2 * height, 2 * width), dtype=np.intp)
    filled[top : top + rows, left : left + columns] = _far_from_edge(np.asarray(small, dtype=np.float32))
    glyphs = np.einsum("hrwc,rc->hw", filled.reshape(height, 2, width, 2), _QUARTERS)
    return ["".join(GLYPHS[glyph] for glyph in line) for line in glyphs.tolist()]


def _far_from_edge(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which pixels of [rows, columns, 3] differ more from the edge than half of what the farthest do."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    distance: npt.NDArray[np.float64] = np.sqrt(np.square(pixels - np.median(edge, axis=0)).sum(axis=2))
    return distance > max(float(np.percentile(distance, 98)) / 2, _LEAST)
