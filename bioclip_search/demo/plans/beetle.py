"""Beetles from above."""

from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, arc, colour, curve, darker, jittered, lighter
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "BeetleTraits"]


@dataclass(frozen=True)
class BeetleTraits:
    """`width` is that of the wing cases (1 is as wide as long); spots are (x, y, radius) on the right one."""

    elytra: Colour
    pronotum: Colour
    head: Colour
    width: float
    legs: Colour = (25, 20, 16)
    spots: tuple[tuple[float, float, float], ...] = ()
    spot_colour: Colour = (20, 16, 14)
    stripes: int = 0
    bands: tuple[float, ...] = ()
    band_colour: Colour = (20, 16, 14)
    cheeks: Colour | None = None
    mandibles: float = 0.0
    horn: float = 0.0
    antennae: float = 0.28
    ringed_antennae: bool = False
    gloss: float = 0.25


def _paint(brush: Brush, traits: BeetleTraits, rng: np.random.Generator) -> None:
    half = 0.6 * traits.width
    shell = jittered(traits.elytra, rng, 8)
    _paint_limbs(brush, traits, half, rng)
    _paint_head(brush, traits, half)
    _paint_pronotum(brush, traits, half)
    outline = curve([(0, -0.25), (half * 0.85, -0.22), (half, 0.15), (half * 0.8, 0.6), (0, 0.85)])
    outline = [point for point in outline if point[0] >= -0.001]
    brush.inside(outline, lambda inner: _paint_elytron(inner, traits, shell, half, rng))
    brush.line([*outline, outline[0]], darker(shell, 0.5), 0.02)
    brush.mirror()
    brush.line([(0, -0.25), (0, 0.85)], darker(shell, 0.55), 0.014)


def _paint_elytron(brush: Brush, traits: BeetleTraits, shell: Colour, half: float, rng: np.random.Generator) -> None:
    brush.polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)], shell)
    for place in range(traits.stripes):
        x = half * (place + 0.55) / traits.stripes
        brush.line(curve([(x * 0.7, -0.3), (x, 0.2), (x * 0.6, 0.85)], closed=False), traits.band_colour, 0.035)
    for y in traits.bands:
        brush.line(
            curve([(-0.1, y), (half * 0.3, y - 0.04), (half * 0.7, y + 0.05), (1, y)], closed=False),
            traits.band_colour,
            0.15,
        )
    for x, y, radius in traits.spots:
        shift = rng.normal(0, 0.012, 2)
        brush.dot((x * half + shift[0], y + shift[1]), radius, traits.spot_colour)
    brush.shade(
        [(half * 0.78, -0.3), (half * 1.1, -0.1), (half * 1.1, 0.9), (0, 0.95)], darker(shell, 0.75), 0.55, 0.12
    )
    brush.shade(arc((half * 0.42, 0.1), (half * 0.26, 0.42)), lighter(shell, 0.5), 0.25 + traits.gloss * 0.6, 0.1)
    brush.shade(arc((half * 0.45, -0.04), (half * 0.07, 0.15), angle=12), (255, 255, 255), 0.35 + traits.gloss, 0.025)


def _paint_pronotum(brush: Brush, traits: BeetleTraits, half: float) -> None:
    brush.polygon(
        curve([(0, -0.5), (half * 0.55, -0.48), (half * 0.78, -0.3), (half * 0.7, -0.2), (0, -0.18)]), traits.pronotum
    )
    brush.shade(arc((half * 0.28, -0.39), (half * 0.24, 0.06)), (255, 255, 255), 0.16 + traits.gloss * 0.4, 0.05)
    if traits.cheeks:
        brush.ellipse((half * 0.52, -0.38), (half * 0.2, 0.09), traits.cheeks, angle=25)
    if traits.horn:
        brush.polygon([(0, -0.4), (0.06, -0.45), (0.02, -0.5 - traits.horn), (0, -0.5 - traits.horn)], traits.pronotum)


def _paint_head(brush: Brush, traits: BeetleTraits, half: float) -> None:
    brush.ellipse((0, -0.54), (half * 0.45, 0.14), traits.head)
    if traits.mandibles:
        reach = traits.mandibles
        jaw: list[Point] = [(half * 0.25, -0.6), (half * 0.75, -0.66 - reach * 0.4), (half * 0.2, -0.66 - reach)]
        brush.line(curve(jaw, closed=False), traits.head, 0.07)
        brush.line([(half * 0.58, -0.66 - reach * 0.55), (half * 0.25, -0.64 - reach * 0.5)], traits.head, 0.04)


def _paint_limbs(brush: Brush, traits: BeetleTraits, half: float, rng: np.random.Generator) -> None:
    for y, foot in ((-0.35, -0.62), (0.0, 0.12), (0.3, 0.78)):
        knee = half + 0.18 + float(rng.normal(0, 0.015))
        end = (knee + 0.13, foot + float(rng.normal(0, 0.03)))
        brush.line([(half * 0.6, y), (knee, (y + foot) / 2), end], traits.legs, 0.045)
    length = traits.antennae
    tip = (half * 0.3 + length * 0.75, -0.62 - length * 0.5)
    feeler = curve([(half * 0.25, -0.6), (half * 0.4 + length * 0.3, -0.66 - length * 0.4), tip], closed=False)
    brush.line(feeler, traits.legs, 0.028)
    if traits.ringed_antennae:
        for point in feeler[1::3]:
            brush.dot(point, 0.028, colour("#7fa6c0"))


_HABITATS = (Habitat.FOLIAGE, Habitat.SOIL, Habitat.STONE)
PLAN = BodyPlan("beetle", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)

_BLACK, _RED = colour("#15120f"), colour("#cf2a17")


def _coleopteran(family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Arthropoda", "Insecta", "Coleoptera", family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[BeetleTraits], ...] = (
    DemoSpecies(
        _coleopteran("Coccinellidae", "Coccinella", "septempunctata", "seven-spot ladybird"),
        PLAN,
        BeetleTraits(
            _RED,
            _BLACK,
            _BLACK,
            1.18,
            spots=((0.12, -0.16, 0.1), (0.62, 0.08, 0.11), (0.36, 0.42, 0.11)),
            cheeks=colour("#f4efe0"),
            antennae=0.14,
        ),
        ("red beetle with seven black spots", "round red beetle with black spots", "spotted beetle"),
        7,
    ),
    DemoSpecies(
        _coleopteran("Coccinellidae", "Psyllobora", "vigintiduopunctata", "twenty-two-spot ladybird"),
        PLAN,
        BeetleTraits(
            colour("#f2d21c"),
            colour("#f0dc6a"),
            colour("#e8d46a"),
            1.12,
            spots=tuple(
                (x, y, 0.065)
                for x, y in (
                    (0.25, -0.12),
                    (0.65, -0.1),
                    (0.2, 0.1),
                    (0.5, 0.12),
                    (0.85, 0.14),
                    (0.25, 0.34),
                    (0.6, 0.36),
                    (0.2, 0.56),
                    (0.5, 0.58),
                )
            ),
            antennae=0.14,
            legs=colour("#b08a2a"),
        ),
        (
            "yellow beetle with many black spots",
            "small round yellow beetle with black dots",
            "round yellow ladybird with black spots",
        ),
        4,
    ),
    DemoSpecies(
        _coleopteran("Lucanidae", "Lucanus", "cervus", "European stag beetle"),
        PLAN,
        BeetleTraits(colour("#4a2016"), colour("#1c1311"), colour("#241410"), 0.72, mandibles=0.42, antennae=0.2),
        (
            "large brown beetle with antler-like jaws",
            "dark beetle with huge mandibles",
            "brown beetle with long branched jaws",
        ),
        65,
    ),
    DemoSpecies(
        _coleopteran("Scarabaeidae", "Cetonia", "aurata", "rose chafer"),
        PLAN,
        BeetleTraits(
            colour("#2f9a3c"),
            colour("#2b8f45"),
            colour("#24763a"),
            0.98,
            spots=((0.7, 0.4, 0.03), (0.45, 0.55, 0.03)),
            spot_colour=colour("#eef0dc"),
            gloss=0.55,
            legs=colour("#2c6b38"),
            antennae=0.12,
        ),
        (
            "shiny metallic green beetle",
            "green beetle with a golden gloss",
            "plain bright green beetle with small pale flecks",
        ),
        18,
    ),
    DemoSpecies(
        _coleopteran("Chrysomelidae", "Leptinotarsa", "decemlineata", "Colorado potato beetle"),
        PLAN,
        BeetleTraits(
            colour("#f3dc7c"),
            colour("#d98b2c"),
            colour("#d98b2c"),
            1.02,
            stripes=5,
            antennae=0.18,
            legs=colour("#b5702a"),
        ),
        (
            "yellow beetle with black stripes",
            "striped beetle with ten black lines",
            "round beetle with yellow and black striped wing cases",
        ),
        11,
    ),
    DemoSpecies(
        _coleopteran("Silphidae", "Nicrophorus", "vespilloides", "burying beetle"),
        PLAN,
        BeetleTraits(_BLACK, _BLACK, _BLACK, 0.82, bands=(-0.02, 0.42), band_colour=colour("#e2641c"), antennae=0.2),
        ("black beetle with two orange bands", "beetle with orange zigzag bands on black", "black and orange beetle"),
        17,
    ),
    DemoSpecies(
        _coleopteran("Cerambycidae", "Rosalia", "alpina", "Rosalia longicorn"),
        PLAN,
        BeetleTraits(
            colour("#8fb2cc"),
            colour("#86a9c4"),
            colour("#86a9c4"),
            0.6,
            spots=((0.55, -0.1, 0.07), (0.45, 0.2, 0.13), (0.5, 0.56, 0.06)),
            antennae=0.75,
            ringed_antennae=True,
            gloss=0.1,
            legs=colour("#6d90ab"),
        ),
        (
            "pale blue beetle with black spots and very long antennae",
            "longhorn beetle, grey-blue with black spots",
            "light blue beetle with banded antennae",
        ),
        28,
    ),
)
