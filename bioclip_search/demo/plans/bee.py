"""Bees and wasps from above."""

from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, arc, colour, curve, darker, jittered, lighter
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["BEE", "SPECIES", "WASP", "BeeTraits"]


@dataclass(frozen=True)
class BeeTraits:
    """`abdomen` are the colours of its rings from front to back; `waist` is 0 for none, 1 for a long thin one."""

    head: Colour
    thorax: Colour
    abdomen: tuple[Colour, ...]
    girth: float
    waist: float
    fur: float = 0.0
    collar: Colour | None = None
    dots: Colour | None = None
    wings: Colour = (205, 200, 185)
    legs: Colour = (30, 24, 18)
    wing_length: float = 0.8


def _paint(brush: Brush, traits: BeeTraits, rng: np.random.Generator) -> None:
    _paint_wings(brush, traits, float(rng.uniform(-0.08, 0.1)))
    brush.fade(0.72)
    _paint_legs(brush, traits, rng)
    brush.mirror()
    start = 0.02 + 0.16 * traits.waist
    _paint_abdomen(brush, traits, start, rng)
    if traits.waist:
        brush.line([(0, -0.05), (0, start + 0.08)], darker(traits.thorax, 0.2), 0.05)
    thorax = jittered(traits.thorax, rng, 6)
    width = 0.17 + 0.12 * traits.girth
    brush.ellipse((0, -0.22), (width, 0.2), thorax)
    if traits.collar:
        brush.ellipse((0, -0.33), (width * 0.92, 0.08), traits.collar)
    brush.shade(arc((-width * 0.25, -0.27), (width * 0.4, 0.07)), (255, 250, 235), 0.4, 0.06)
    _paint_fur(brush, traits, (0, -0.22), (width, 0.2), thorax, rng)
    _paint_head(brush, traits)


def _paint_abdomen(brush: Brush, traits: BeeTraits, start: float, rng: np.random.Generator) -> None:
    width, length = 0.13 + 0.2 * traits.girth, 0.72
    outline = curve(
        [
            (0, start),
            (width, start + length * 0.25),
            (width * 0.9, start + length * 0.55),
            (0, start + length),
            (-width * 0.9, start + length * 0.55),
            (-width, start + length * 0.25),
        ]
    )

    def rings(inner: Brush) -> None:
        height = length / len(traits.abdomen)
        for place, ring in enumerate(traits.abdomen):
            shade = jittered(ring, rng, 5)
            top = start + place * height
            inner.polygon([(-1, top), (1, top), (1, top + height + 0.02), (-1, top + height + 0.02)], shade)
        for place in range(1, len(traits.abdomen)):
            y = start + place * height
            if traits.dots:
                for side in (-1, 1):
                    inner.ellipse((side * width * 0.42, y + height * 0.55), (0.032, 0.026), traits.dots)
        rim = darker(traits.abdomen[-1], 0.7)
        for side in (-1, 1):
            edge = [
                (side * width * 1.1, start),
                (side * width * 1.1, 0.95),
                (side * width * 0.75, start + length * 0.6),
            ]
            inner.shade(edge, rim, 0.5, 0.08)
        inner.shade(
            arc((-width * 0.25, start + length * 0.4), (width * 0.2, length * 0.28)), (255, 250, 235), 0.5, 0.06
        )

    brush.inside(outline, rings)
    brush.line([*outline, outline[0]], darker(traits.abdomen[-1], 0.45), 0.014)
    for place, ring in enumerate(traits.abdomen):
        middle = (0.0, start + (place + 0.5) * length / len(traits.abdomen))
        taper = 1 - 0.75 * max(0.0, (place + 0.5) / len(traits.abdomen) - 0.55) / 0.45
        _paint_fur(brush, traits, middle, (width * taper, length / len(traits.abdomen) / 2), ring, rng)


def _paint_fur(
    brush: Brush,
    traits: BeeTraits,
    centre: tuple[float, float],
    radii: tuple[float, float],
    shade: Colour,
    rng: np.random.Generator,
) -> None:
    for _ in range(int(110 * traits.fur)):
        turn, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.0)
        x, y = centre[0] + radii[0] * reach * np.cos(turn), centre[1] + radii[1] * reach * np.sin(turn)
        tip = (x + 0.035 * np.cos(turn), y + 0.035 * np.sin(turn))
        brush.line([(x, y), tip], lighter(shade, float(rng.uniform(0, 0.2))), 0.01)


def _paint_wings(brush: Brush, traits: BeeTraits, lift: float) -> None:
    reach = traits.wing_length
    fore = curve(
        [(0.1, -0.24), (0.5, -0.46 - lift), (0.1 + reach, -0.42 - lift), (0.05 + reach, -0.22 - lift), (0.45, -0.1)]
    )
    hind = curve([(0.1, -0.12), (0.4, -0.14), (0.6 * reach + 0.12, 0.02), (0.42, 0.14)])
    vein = darker(traits.wings, 0.45)
    for wing in (hind, fore):
        brush.polygon(wing, traits.wings, outline=vein, width=0.012)
    for share in (0.35, 0.5, 0.62):
        brush.line([(0.12, -0.22), fore[int(share * len(fore))]], vein, 0.009)


def _paint_legs(brush: Brush, traits: BeeTraits, rng: np.random.Generator) -> None:
    for y, knee, foot in ((-0.3, -0.48, -0.66), (-0.15, 0.05, 0.26), (-0.1, 0.3, 0.62)):
        wobble = float(rng.normal(0, 0.02))
        brush.line([(0.1, y), (0.36 + wobble, knee), (0.46, foot + wobble)], traits.legs, 0.032)


def _paint_head(brush: Brush, traits: BeeTraits) -> None:
    brush.ellipse((0, -0.5), (0.15, 0.11), traits.head)
    for side in (-1, 1):
        brush.ellipse((side * 0.12, -0.5), (0.045, 0.085), darker(traits.head, 0.6))
        brush.line([(side * 0.04, -0.58), (side * 0.14, -0.7), (side * 0.26, -0.76)], traits.legs, 0.026)


_HABITATS = (Habitat.FOLIAGE, Habitat.SKY, Habitat.STONE)
BEE = BodyPlan("bee", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)
WASP = BodyPlan("wasp", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)

_BLACK, _YELLOW, _BROWN = colour("#17120d"), colour("#f2c51d"), colour("#6b3d1c")


def _hymenopteran(family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Arthropoda", "Insecta", "Hymenoptera", family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[BeeTraits], ...] = (
    DemoSpecies(
        _hymenopteran("Apidae", "Bombus", "terrestris", "buff-tailed bumblebee"),
        BEE,
        BeeTraits(
            _BLACK,
            _BLACK,
            (_BLACK, _YELLOW, _BLACK, _BLACK, colour("#f4ecd8")),
            1.0,
            0.0,
            fur=1.0,
            collar=_YELLOW,
            wing_length=0.62,
        ),
        (
            "furry black and yellow bumblebee with a white tail",
            "plump hairy bee",
            "black bee with yellow bands and a pale tail",
        ),
        22,
    ),
    DemoSpecies(
        _hymenopteran("Apidae", "Apis", "mellifera", "western honey bee"),
        BEE,
        BeeTraits(
            colour("#3a281a"),
            colour("#8a643a"),
            (
                colour("#c98a35"),
                colour("#4a2f1a"),
                colour("#c08030"),
                colour("#4a2f1a"),
                colour("#a06a2a"),
                colour("#3a2414"),
            ),
            0.45,
            0.15,
            fur=0.5,
        ),
        ("brown bee with amber bands", "small brown striped bee", "bee with a brown and amber striped abdomen"),
        13,
    ),
    DemoSpecies(
        _hymenopteran("Vespidae", "Vespa", "crabro", "European hornet"),
        WASP,
        BeeTraits(
            colour("#d98f1e"),
            _BROWN,
            (_BROWN, _YELLOW, _BROWN, _YELLOW, _YELLOW, colour("#e8b522"), _YELLOW),
            0.6,
            0.4,
            dots=_BROWN,
            wings=colour("#c99a55"),
            legs=colour("#7a3f1a"),
            wing_length=0.86,
        ),
        (
            "large brown and yellow hornet",
            "wasp with a red-brown thorax and yellow abdomen",
            "brown wasp with brown dots on a yellow abdomen",
        ),
        28,
    ),
    DemoSpecies(
        _hymenopteran("Vespidae", "Vespula", "vulgaris", "common wasp"),
        WASP,
        BeeTraits(
            _BLACK,
            _BLACK,
            (_YELLOW, _BLACK, _YELLOW, _BLACK, _YELLOW, _BLACK, _YELLOW, _BLACK),
            0.4,
            0.45,
            legs=colour("#d9ac1c"),
        ),
        ("yellow and black striped wasp", "wasp with yellow bands", "black wasp with yellow stripes and yellow legs"),
        15,
    ),
    DemoSpecies(
        _hymenopteran("Chrysididae", "Chrysis", "ignita", "ruby-tailed wasp"),
        WASP,
        BeeTraits(
            colour("#1c7f8a"),
            colour("#1f8f9a"),
            (colour("#d0284a"), colour("#c01f52"), colour("#a81c50")),
            0.35,
            0.1,
            wings=colour("#b9b7b0"),
            wing_length=0.66,
        ),
        (
            "metallic blue-green wasp with a ruby red abdomen",
            "jewel-like red and turquoise wasp",
            "small shining wasp, blue-green in front and crimson behind",
        ),
        10,
    ),
)
