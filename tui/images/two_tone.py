"""A picture without colours, for output that has none: the glyphs of `blocks`, dithered."""

import numpy as np
from PIL import Image, ImageOps

from tui.images.blocks import GLYPHS, fitted

__all__ = ["two_tone"]

_QUARTERS = np.array([[1, 2], [4, 8]])


def two_tone(image: Image.Image, width: int, height: int) -> list[str]:
    """`height` lines of `width` cells, filled where the picture differs from its edge.

    Whether a terminal is dark or light is not known here; the backdrop of a specimen is blank on both.
    """
    columns, rows = fitted(image.size, width, height)
    small = image.convert("L").resize((columns, rows), Image.Resampling.LANCZOS, reducing_gap=2.0)
    grey = ImageOps.autocontrast(small, cutoff=1)
    values = np.asarray(grey)
    if np.median(np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])) >= 128:
        grey = ImageOps.invert(grey)
    canvas = Image.new("1", (2 * width, 2 * height))
    canvas.paste(grey.convert("1"), ((2 * width - columns) // 2, (2 * height - rows) // 2))
    cells = np.asarray(canvas).reshape(height, 2, width, 2)
    glyphs = np.einsum("hrwc,rc->hw", cells, _QUARTERS)
    return ["".join(GLYPHS[glyph] for glyph in line) for line in glyphs.tolist()]
