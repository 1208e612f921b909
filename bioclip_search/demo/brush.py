"""A brush that paints in specimen coordinates: x to the right, y down, the box from -1 to 1.

Layers are RGBA and transparent; they are drawn at twice the wanted size and reduced at the
end, which gives smooth edges without an anti-aliasing rasteriser.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

__all__ = [
    "Brush",
    "Colour",
    "Point",
    "arc",
    "colour",
    "curve",
    "darker",
    "jittered",
    "lighter",
    "mirrored",
    "mix",
    "shrunk",
]

# A layer shows a little more than the box, for antennae and tails that reach beyond it.
_REACH = 1.15

Point = tuple[float, float]
Colour = tuple[int, int, int]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with `share` (0 to 1) of `b` in it."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.25) -> Colour:
    return mix(colour, (0, 0, 0), share)


def lighter(colour: Colour, share: float = 0.25) -> Colour:
    return mix(colour, (255, 255, 255), share)


def colour(code: str) -> Colour:
    """The colour of a code such as “#e8781e”."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


def jittered(base: Colour, rng: np.random.Generator, amount: float = 10.0) -> Colour:
    """The colour as one individual has it: a little lighter or darker, warmer or colder."""
    red, green, blue = np.clip(np.asarray(base) + rng.normal(0, amount) + rng.normal(0, amount / 3, 3), 0, 255)
    return int(red), int(green), int(blue)


def shrunk(points: Iterable[Point], centre: Point, factor: float) -> list[Point]:
    """The points drawn together towards a centre."""
    return [(centre[0] + (x - centre[0]) * factor, centre[1] + (y - centre[1]) * factor) for x, y in points]


def mirrored(points: Iterable[Point]) -> list[Point]:
    """The points reflected at the vertical axis, in reverse order (the outline stays one turn)."""
    return [(-x, y) for x, y in reversed(list(points))]


def curve(points: Sequence[Point], closed: bool = True, steps: int = 8) -> list[Point]:
    """A smooth (Catmull-Rom) line through the points."""
    nodes = np.asarray(points, dtype=float)
    if closed:
        before, after = np.roll(nodes, 1, axis=0), np.roll(nodes, -1, axis=0)
        beyond = np.roll(nodes, -2, axis=0)
        start = nodes
    else:
        padded = np.vstack([nodes[:1], nodes, nodes[-1:]])
        before, start, after, beyond = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    b, s, a, e = (part[:, None, :] for part in (before, start, after, beyond))
    line = 0.5 * (2 * s + (a - b) * t + (2 * b - 5 * s + 4 * a - e) * t**2 + (3 * s - b - 3 * a + e) * t**3)
    path = line.reshape(-1, 2)
    if not closed:
        path = np.vstack([path, nodes[-1:]])
    return [(float(x), float(y)) for x, y in path]


def arc(centre: Point, radii: Point, start: float = 0.0, end: float = 360.0, angle: float = 0.0) -> list[Point]:
    """Points on an ellipse, angles in degrees clockwise from the positive x axis."""
    turn = math.radians(angle)
    path = []
    for degree in np.linspace(start, end, max(8, int(abs(end - start) / 6))):
        x, y = radii[0] * math.cos(math.radians(degree)), radii[1] * math.sin(math.radians(degree))
        path.append(
            (
                centre[0] + x * math.cos(turn) - y * math.sin(turn),
                centre[1] + x * math.sin(turn) + y * math.cos(turn),
            )
        )
    return path


@dataclass(slots=True)
class Brush:
    """Paints on one transparent layer; `picture()` returns it at `pixels` x `pixels`."""

    pixels: int
    layer: Image.Image
    pen: ImageDraw.ImageDraw

    @classmethod
    def on_blank(cls, pixels: int) -> "Brush":
        layer = Image.new("RGBA", (2 * pixels, 2 * pixels), (0, 0, 0, 0))
        return cls(pixels, layer, ImageDraw.Draw(layer))

    def to_pixel(self, point: Point) -> Point:
        return (point[0] / _REACH + 1) * self.pixels, (point[1] / _REACH + 1) * self.pixels

    def polygon(
        self, points: Iterable[Point], fill: Colour, outline: Colour | None = None, width: float = 0.012
    ) -> None:
        path = [self.to_pixel(point) for point in points]
        self.pen.polygon(path, fill=(*fill, 255))
        if outline is not None:
            self.pen.line([*path, path[0]], fill=(*outline, 255), width=self._stroke(width), joint="curve")

    def ellipse(
        self,
        centre: Point,
        radii: Point,
        fill: Colour,
        angle: float = 0.0,
        outline: Colour | None = None,
        width: float = 0.012,
    ) -> None:
        self.polygon(arc(centre, radii, angle=angle), fill, outline, width)

    def dot(self, centre: Point, radius: float, fill: Colour) -> None:
        x, y = self.to_pixel(centre)
        r = radius * self.pixels / _REACH
        self.pen.ellipse((x - r, y - r, x + r, y + r), fill=(*fill, 255))

    def line(self, points: Iterable[Point], fill: Colour, width: float = 0.015) -> None:
        self.pen.line([self.to_pixel(p) for p in points], fill=(*fill, 255), width=self._stroke(width), joint="curve")

    def inside(self, outline: Iterable[Point], paint: Callable[["Brush"], None]) -> None:
        """Let `paint` draw on a layer of its own and keep only what falls inside the outline."""
        layer = Brush.on_blank(self.pixels)
        paint(layer)
        mask = Image.new("L", layer.layer.size, 0)
        ImageDraw.Draw(mask).polygon([self.to_pixel(p) for p in outline], fill=255)
        kept = ImageChops.multiply(layer.layer.getchannel("A"), mask)
        self.layer.paste(layer.layer, (0, 0), kept)

    def shade(self, points: Iterable[Point], fill: Colour, share: float = 0.5, softness: float = 0.05) -> None:
        """Lay a colour with soft edges over what is painted; nothing is added beside it."""
        path = np.asarray([self.to_pixel(point) for point in points])
        blur = softness * self.pixels / _REACH
        left, top = (int(side) for side in np.maximum(path.min(axis=0) - 2 * blur, 0))
        right, bottom = (int(side) for side in np.minimum(path.max(axis=0) + 2 * blur + 1, 2 * self.pixels))
        # A soft edge needs few pixels: the mask is drawn and blurred at a quarter of the size.
        mask = Image.new("L", (max(1, (right - left) // 4), max(1, (bottom - top) // 4)), 0)
        corners = [(float(x - left) / 4, float(y - top) / 4) for x, y in path]
        ImageDraw.Draw(mask).polygon(corners, fill=round(255 * share))
        mask = mask.filter(ImageFilter.GaussianBlur(blur / 4)).resize((right - left, bottom - top))
        part = self.layer.crop((left, top, right, bottom))
        painted = part.getchannel("A")
        part.paste((*fill, 255), (0, 0), mask)
        part.putalpha(painted)
        self.layer.paste(part, (left, top))

    def fade(self, share: float) -> None:
        """Make all that is painted so far translucent, as wings of glass are."""
        self.layer.putalpha(self.layer.getchannel("A").point(lambda alpha: round(alpha * share)))

    def mirror(self) -> None:
        """Add the reflection of all that is painted at the vertical axis: paint the right half, get both."""
        self.layer.alpha_composite(ImageOps.mirror(self.layer))

    def _stroke(self, width: float) -> int:
        return max(1, round(width * self.pixels / _REACH))

    def picture(self) -> Image.Image:
        """The layer reduced to its final size, RGBA."""
        return self.layer.reduce(2)
