"""The photograph around a painted specimen: background, pose, light, label, scale bar, camera."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from bioclip_search.demo.brush import Colour, colour, darker, jittered, lighter
from bioclip_search.demo.species import Habitat, Style

__all__ = ["Subject", "photograph"]

_PAPER = (colour("#f4f1e8"), colour("#e9e6dd"), colour("#dfe4e6"), colour("#efe9d6"))
_HERBARIUM = (colour("#f1e8d0"), colour("#efe3c4"), colour("#f5efdf"))
_TRAYS = (colour("#f2f2f0"), colour("#b9bcbe"), colour("#6f7478"), colour("#2a2c30"), colour("#c9d4c8"))
_FIELDS = {
    Habitat.FOLIAGE: (colour("#4f7a3c"), colour("#86a85c"), colour("#2f4f2c")),
    Habitat.SOIL: (colour("#7a6048"), colour("#a08a68"), colour("#4f3e2e")),
    Habitat.STONE: (colour("#8c8880"), colour("#b5b0a4"), colour("#5f5c58")),
    Habitat.SKY: (colour("#a9c4d8"), colour("#d4e2ea"), colour("#86a8c4")),
    Habitat.WATER: (colour("#4f8a94"), colour("#86b8bc"), colour("#2f5f70")),
    Habitat.SAND: (colour("#d4c09a"), colour("#e8dab8"), colour("#b59c74")),
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
    if style is Style.FIELD:
        habitat = subject.habitats[int(rng.integers(len(subject.habitats)))]
        picture = _out_of_focus(_FIELDS[habitat], (width, height), rng)
    else:
        picture = _laid_on(style, (width, height), rng)
    pixels = round(min(width, height) * float(rng.uniform(0.74, 0.98)))
    layer = _posed(subject, style, pixels, rng)
    room_x, room_y = max(1, width - layer.width), max(1, height - layer.height)
    # Room for the label below is left by looking for the upper half first.
    x = round(room_x * float(np.clip(rng.normal(0.5, 0.14), 0, 1)))
    y = round(room_y * float(np.clip(rng.normal(0.4 if style is not Style.FIELD else 0.5, 0.14), 0, 1)))
    if style is not Style.FIELD:
        _furnish(picture, subject, style, pixels, rng)
    _cast_shadow(picture, layer, (x, y), style, rng)
    picture.paste(layer, (x, y), layer)
    if style is Style.PINNED:
        _pin(picture, (x + layer.width // 2, y + round(layer.height * 0.42)), scale)
    return _developed(picture, style, rng)


def _posed(subject: Subject, style: Style, pixels: int, rng: np.random.Generator) -> Image.Image:
    layer = subject.draw(pixels)
    if rng.random() < 0.5:
        layer = layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turn = subject.turn if style is Style.FIELD else min(subject.turn, 10.0)
    return layer.rotate(float(rng.uniform(-turn, turn)), Image.Resampling.BICUBIC, expand=False)


def _laid_on(style: Style, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """The paper, sheet or tray under a specimen."""
    grounds = {Style.PINNED: _PAPER, Style.SHEET: _HERBARIUM, Style.TRAY: _TRAYS}[style]
    ground = jittered(grounds[int(rng.integers(len(grounds)))], rng, 4)
    picture = Image.new("RGB", size, ground)
    if style is Style.TRAY:
        inset = max(2, round(min(size) * 0.025))
        ImageDraw.Draw(picture).rectangle(
            (inset, inset, size[0] - inset, size[1] - inset), outline=darker(ground, 0.25), width=max(1, inset // 3)
        )
    return picture


def _out_of_focus(palette: tuple[Colour, ...], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Soft patches of a few colours, larger ones under smaller ones."""
    picture = Image.new("RGB", size, palette[0])
    for cells, weight in ((3, 1.0), (7, 0.45), (18, 0.25)):
        chosen = np.asarray(palette)[rng.integers(0, len(palette), (cells, cells))]
        noise = np.clip(chosen + rng.normal(0, 14, (cells, cells, 1)), 0, 255).astype(np.uint8)
        picture = Image.blend(picture, Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC), weight)
    return picture


def _cast_shadow(
    picture: Image.Image, layer: Image.Image, at: tuple[int, int], style: Style, rng: np.random.Generator
) -> None:
    reach = layer.width * (0.035 if style is Style.PINNED else 0.018)
    blur = max(1.0, layer.width * 0.02)
    shadow = layer.getchannel("A").filter(ImageFilter.GaussianBlur(blur)).point(lambda alpha: round(alpha * 0.4))
    offset = (at[0] + round(float(rng.uniform(-1, 1)) * reach), at[1] + round(reach))
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
    if style is Style.SHEET or rng.random() < 0.4:
        _barcode(pen, (left, top - round(text * 1.6)), text, rng)
    _scale_bar(pen, (margin if right else width - margin - round(width * 0.3), height - margin), subject, pixels, font)
    if style is Style.SHEET:
        _colour_chart(pen, (margin, margin), text)


def _barcode(pen: ImageDraw.ImageDraw, at: tuple[int, int], height: int, rng: np.random.Generator) -> None:
    x, y = at
    for _ in range(24):
        bar = int(rng.integers(1, 4))
        pen.rectangle((x, y, x + bar - 1, y + height), fill=_LABEL_INK)
        x += bar + int(rng.integers(1, 3))


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
    pen = ImageDraw.Draw(picture)
    radius = max(2, round(4 * scale))
    pen.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=(60, 62, 66))
    pen.ellipse((at[0] - radius, at[1] - radius, at[0], at[1]), fill=lighter((60, 62, 66), 0.6))


def _developed(picture: Image.Image, style: Style, rng: np.random.Generator) -> Image.Image:
    """Exposure, white balance, darker corners, focus and grain of one camera."""
    pixels = np.asarray(picture, dtype=np.float32)
    gain, warmth = float(rng.uniform(0.86, 1.1)), float(rng.normal(0, 0.03))
    pixels = pixels * (gain * np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32))
    height, width = pixels.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = float(rng.uniform(0.0, 0.16 if style is Style.FIELD else 0.08))
    pixels = pixels * (1 - corners * (x**2 + y**2)[..., None] / 2)
    pixels = pixels + rng.normal(0, float(rng.uniform(1, 4)), (height, width, 1))
    result = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return result.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 0.8)) * width / 480))
