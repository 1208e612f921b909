"""The photograph around a painted specimen: background, pose, light, label, scale bar, camera."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from bioclip_search.demo.brush import Colour, arc, colour, darker, jittered, lighter, mix
from bioclip_search.demo.species import Habitat, Style

__all__ = ["Subject", "photograph"]

_PAPER = (colour("#f4f1e8"), colour("#e9e6dd"), colour("#dfe4e6"), colour("#efe9d6"))
_HERBARIUM = (colour("#f1e8d0"), colour("#efe3c4"), colour("#f5efdf"))
_TRAYS = (colour("#f2f2f0"), colour("#b9bcbe"), colour("#6f7478"), colour("#2a2c30"), colour("#c9d4c8"))


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is out of focus behind a specimen: its colours, and patches of a size and shape.

    `size` is the share of the picture that a patch is long, `stretch` how much longer than wide;
    `lean` is how far from level it may lie, in degrees.
    """

    colours: tuple[Colour, ...]
    size: float
    stretch: float
    lean: float
    patches: int


def _ground(codes: str, size: float, stretch: float, lean: float, patches: int) -> _Ground:
    return _Ground(tuple(colour(code) for code in codes.split()), size, stretch, lean, patches)


_FIELDS = {
    Habitat.FOLIAGE: _ground("#4f7a3c #86a85c #2f4f2c #a9bf74 #3d6633", 0.22, 2.6, 90, 26),
    Habitat.SOIL: _ground("#7a6048 #a08a68 #4f3e2e #8a7458", 0.13, 1.5, 90, 40),
    Habitat.STONE: _ground("#8c8880 #b5b0a4 #5f5c58 #a39d92", 0.2, 1.3, 90, 24),
    Habitat.SKY: _ground("#a9c4d8 #d4e2ea #86a8c4 #e6edf0", 0.4, 2.2, 12, 10),
    Habitat.WATER: _ground("#4f8a94 #86b8bc #2f5f70 #a4cccb", 0.3, 5.0, 4, 26),
    Habitat.SAND: _ground("#d4c09a #e8dab8 #b59c74 #dccba6", 0.16, 2.4, 25, 26),
}
_SHAPES = {
    Style.PINNED: ((480, 400), (440, 440), (400, 480)),
    Style.SHEET: ((380, 540), (400, 560)),
    Style.TRAY: ((480, 400), (480, 480), (520, 360)),
    Style.FIELD: ((540, 380), (480, 480), (400, 520)),
}
_LABEL_INK = colour("#2a2622")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is photographed: how it is drawn at a number of pixels, its length, what its label says."""

    draw: Callable[[int], Image.Image]
    length_mm: float
    turn: float
    habitats: tuple[Habitat, ...]
    label: tuple[str, ...]


def photograph(subject: Subject, style: Style, rng: np.random.Generator, scale: float = 1.0) -> Image.Image:
    """An RGB picture of the subject in a style; its longer side is about 500 pixels times `scale`."""
    shapes = _SHAPES[style]
    width, height = (round(side * scale) for side in shapes[int(rng.integers(len(shapes)))])
    light = float(rng.uniform(-0.9, 0.9))  # where from: -1 left, 1 right, always somewhat from above
    if style is Style.FIELD:
        habitat = subject.habitats[int(rng.integers(len(subject.habitats)))]
        picture = _out_of_focus(_FIELDS[habitat], (width, height), rng)
    else:
        picture = _laid_on(style, (width, height), light, rng)
    fill = {Style.FIELD: (0.74, 0.98), Style.SHEET: (0.84, 1.0)}.get(style, (0.72, 0.92))
    pixels = round(min(width, height) * float(rng.uniform(*fill)))
    layer = _lit(_posed(subject, style, pixels, rng), light)
    room_x, room_y = width - layer.width, height - layer.height
    # Room for the label below is left by looking for the upper part first.
    x = round(room_x * float(np.clip(rng.normal(0.5, 0.14), 0, 1)))
    y = round(room_y * float(np.clip(rng.normal(0.3 if style is not Style.FIELD else 0.5, 0.14), 0, 1)))
    if style is not Style.FIELD:
        _furnish(picture, subject, style, pixels, rng)
    _cast_shadow(picture, layer, (x, y), style, light)
    picture.paste(layer, (x, y), layer)
    middle = (x + layer.width // 2, y + layer.height // 2 - round(pixels * 0.08))
    if style is Style.PINNED:
        _pin(picture, middle, scale)
    if style is Style.SHEET:
        _tape(picture, middle, pixels, rng)
    return _developed(picture, style, rng)


def _posed(subject: Subject, style: Style, pixels: int, rng: np.random.Generator) -> Image.Image:
    layer = subject.draw(pixels)
    if rng.random() < 0.5:
        layer = layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turn = subject.turn if style is Style.FIELD else min(subject.turn, 10.0)
    return layer.rotate(float(rng.uniform(-turn, turn)), Image.Resampling.BILINEAR, expand=True)


def _lit(layer: Image.Image, light: float) -> Image.Image:
    """The specimen with rounded edges, as light from one side shows them: its outline, blurred, is its height."""
    quarter = layer.getchannel("A").reduce(4)
    fine, broad = (
        np.asarray(quarter.filter(ImageFilter.GaussianBlur(quarter.width * share)), dtype=np.float32)
        for share in (0.012, 0.045)
    )
    down, across = np.gradient(fine + broad)
    slope = (light * -across + 0.8 * down) * quarter.width / 100
    relief = Image.fromarray(np.clip(128 + 0.85 * slope, 62, 200).astype(np.uint8)).resize(layer.size)
    lit = ImageChops.overlay(layer.convert("RGB"), Image.merge("RGB", (relief, relief, relief)))
    lit.putalpha(layer.getchannel("A"))
    return lit


def _laid_on(style: Style, size: tuple[int, int], light: float, rng: np.random.Generator) -> Image.Image:
    """The paper, sheet or tray under a specimen."""
    grounds = {Style.PINNED: _PAPER, Style.SHEET: _HERBARIUM, Style.TRAY: _TRAYS}[style]
    ground = jittered(grounds[int(rng.integers(len(grounds)))], rng, 4)
    fibres = rng.normal(0, 2.2, (size[1] // 3 + 1, size[0] // 3 + 1, 1)) + np.asarray(ground)
    picture = Image.fromarray(np.clip(fibres, 0, 255).astype(np.uint8)).resize(size)
    if style is Style.TRAY:
        _tray_walls(picture, ground, light)
    return picture


def _tray_walls(picture: Image.Image, ground: Colour, light: float) -> None:
    """Four bevelled walls; those that face the light are bright."""
    pen, (width, height) = ImageDraw.Draw(picture), picture.size
    wall = max(3, round(min(width, height) * 0.03))
    inner = ((wall, wall), (width - wall, wall), (width - wall, height - wall), (wall, height - wall))
    outer = ((0, 0), (width, 0), (width, height), (0, height))
    for side, shade in enumerate((-0.3, 0.18 * -light, 0.22, 0.18 * light)):
        after = (side + 1) % 4
        tone = darker(ground, -shade) if shade < 0 else lighter(ground, shade)
        pen.polygon((outer[side], outer[after], inner[after], inner[side]), fill=tone)


def _out_of_focus(ground: _Ground, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Blurred patches, larger and softer below, smaller and a little sharper above."""
    # Nothing here is sharp, so that a sixth of the size is enough.
    width, height = max(8, size[0] // 6), max(8, size[1] // 6)
    picture = Image.new("RGB", (width, height), ground.colours[0])
    for softness, growth in ((4.0, 1.8), (1.4, 1.0)):
        pen = ImageDraw.Draw(picture)
        for _ in range(ground.patches):
            shade = jittered(ground.colours[int(rng.integers(len(ground.colours)))], rng, 9)
            length = width * ground.size * growth * float(rng.uniform(0.5, 1.1)) / 2
            centre = (float(rng.uniform(0, width)), float(rng.uniform(0, height)))
            lean = float(rng.uniform(-ground.lean, ground.lean))
            pen.polygon(arc(centre, (length, length / ground.stretch), angle=lean), fill=shade)
        picture = picture.filter(ImageFilter.GaussianBlur(softness * width / 80))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _cast_shadow(picture: Image.Image, layer: Image.Image, at: tuple[int, int], style: Style, light: float) -> None:
    """A wide soft shadow away from the light, and a narrow dark one where the specimen touches the ground."""
    quarter = layer.getchannel("A").reduce(4)
    high = 0.04 if style is Style.PINNED else 0.02
    for reach, darkness in ((high, 0.34), (0.006, 0.3)):
        blurred = quarter.filter(ImageFilter.GaussianBlur(max(0.6, quarter.width * reach * 0.55)))
        shadow = blurred.point(lambda alpha, darkness=darkness: round(alpha * darkness)).resize(layer.size)
        offset = (at[0] - round(light * reach * layer.width), at[1] + round(reach * layer.width))
        picture.paste((20, 18, 24), offset, shadow)


def _furnish(picture: Image.Image, subject: Subject, style: Style, pixels: int, rng: np.random.Generator) -> None:
    """Label, scale bar, and what else lies beside a specimen in a collection."""
    pen = ImageDraw.Draw(picture)
    width, height = picture.size
    text = max(6, round(min(width, height) * 0.03))
    font = ImageFont.load_default(size=text)
    label_width, label_height = round(width * 0.36), round(text * 1.35 * (len(subject.label) + 0.6))
    right = style is Style.SHEET or rng.random() < 0.5
    margin = round(min(width, height) * 0.04)
    left = width - margin - label_width if right else margin
    top = height - margin - label_height
    pen.rectangle((left, top, left + label_width, top + label_height), fill=(250, 249, 244), outline=(120, 116, 108))
    for line, words in enumerate(subject.label):
        pen.text((left + text * 0.5, top + text * (0.3 + 1.35 * line)), words, fill=_LABEL_INK, font=font)
    if style is Style.SHEET:
        _barcode(pen, (left, top - round(text * 1.6)), text, rng)
    elif rng.random() < 0.6:
        side = round(text * 2.6)
        corner = left - side - text if right else left + label_width + text
        _code_square(picture, (corner, height - margin - side), side, rng)
    _scale_bar(pen, (margin if right else width - margin - round(width * 0.3), height - margin), subject, pixels, font)
    if style is Style.SHEET:
        _colour_chart(pen, (margin, margin), text)


def _barcode(pen: ImageDraw.ImageDraw, at: tuple[int, int], height: int, rng: np.random.Generator) -> None:
    x, y = at
    for _ in range(24):
        bar = int(rng.integers(1, 4))
        pen.rectangle((x, y, x + bar - 1, y + height), fill=_LABEL_INK)
        x += bar + int(rng.integers(1, 3))


def _code_square(picture: Image.Image, at: tuple[int, int], side: int, rng: np.random.Generator) -> None:
    """A square of black and white cells with marks in three corners, on a white card."""
    cells = np.where(rng.random((15, 15)) < 0.5, 255, 25).astype(np.uint8)
    cells[[0, -1], :] = cells[:, [0, -1]] = 255
    for top, left in ((1, 1), (1, 10), (10, 1)):
        cells[top : top + 4, left : left + 4] = 25
        cells[top + 1 : top + 3, left + 1 : left + 3] = 255
    picture.paste(Image.fromarray(cells).resize((side, side), Image.Resampling.NEAREST).convert("RGB"), at)


def _tape(picture: Image.Image, middle: tuple[int, int], pixels: int, rng: np.random.Generator) -> None:
    """Two strips of linen that hold a plant to its sheet."""
    for place in (-0.2, 0.24):
        strip = Image.new("L", (round(pixels * 0.17), max(3, round(pixels * 0.026))), 215)
        strip = strip.rotate(float(rng.uniform(-28, 28)), Image.Resampling.BILINEAR, expand=True)
        corner = (middle[0] - strip.width // 2, middle[1] + round(pixels * (0.08 + place)) - strip.height // 2)
        picture.paste((246, 240, 222), corner, strip)


def _scale_bar(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    subject: Subject,
    pixels: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """A bar of a round number of millimetres, about a quarter of the specimen long."""
    per_mm = pixels / 1.15 / subject.length_mm
    wanted = subject.length_mm / 4
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(step for step in (1, 2, 5, 10) if step * power <= wanted * 1.01) * power
    x, y = at
    thick = max(2, round(pixels * 0.012))
    for half, ink in enumerate((_LABEL_INK, (250, 249, 244))):
        start = x + per_mm * length * half / 2
        pen.rectangle((start, y - thick, start + per_mm * length / 2, y), fill=ink, outline=_LABEL_INK)
    pen.text((x, y - thick - pixels * 0.055), f"{length:g} mm", fill=_LABEL_INK, font=font)


def _colour_chart(pen: ImageDraw.ImageDraw, at: tuple[int, int], side: int) -> None:
    chart = ("#c8281e", "#e8922a", "#f2d83a", "#3f9a4a", "#2f6fc0", "#5f3f8a", "#f4f2ea", "#8a8a88", "#1c1c1c")
    for place, code in enumerate(chart):
        x = at[0] + place * side
        pen.rectangle((x, at[1], x + side, at[1] + side), fill=colour(code))


def _pin(picture: Image.Image, at: tuple[int, int], scale: float) -> None:
    """The head of a steel pin, with a spark of light."""
    pen = ImageDraw.Draw(picture)
    radius = max(1.5, 3.6 * scale)
    for share, tone in ((1.0, 0.0), (0.75, 0.35), (0.35, 0.9)):
        x, y, r = at[0] - radius * (1 - share) * 0.5, at[1] - radius * (1 - share) * 0.5, radius * share
        pen.ellipse((x - r, y - r, x + r, y + r), fill=mix((44, 45, 50), (255, 255, 255), tone))


def _developed(picture: Image.Image, style: Style, rng: np.random.Generator) -> Image.Image:
    """Focus, exposure, white balance, darker corners and grain of one camera."""
    width, height = picture.size
    blur = float(rng.uniform(0, 0.8)) * width / 480
    if blur > 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    gain, warmth = float(rng.uniform(0.86, 1.08)), float(rng.normal(0, 0.03))
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = float(rng.uniform(0.0, 0.22 if style is Style.FIELD else 0.1))
    exposure = (gain * (1 - corners * (x**2 + y**2) / 2)).astype(np.float32)
    grain = rng.standard_normal((height, width), dtype=np.float32) * np.float32(rng.uniform(1, 4))
    pixels = np.asarray(picture)
    result = np.empty_like(pixels)
    for channel, share in enumerate((1 + warmth, 1.0, 1 - warmth)):
        value = pixels[..., channel] * (exposure * np.float32(share)) + grain
        result[..., channel] = np.clip(value, 0, 255)
    return Image.fromarray(result)
