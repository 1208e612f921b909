"""Butterflies and moths from above, wings spread."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, arc, colour, curve, darker, jittered, lighter, mix, shrunk
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "ButterflyTraits"]

_FORE_BASE, _HIND_BASE = (0.05, -0.18), (0.05, 0.02)


@dataclass(frozen=True)
class Eyespot:
    """Rings from the outside in, on one wing."""

    wing: str
    centre: Point
    radius: float
    rings: tuple[Colour, ...]


@dataclass(frozen=True)
class Band:
    """A stroke across one wing, from point to point."""

    wing: str
    path: tuple[Point, ...]
    colour: Colour
    width: float


@dataclass(frozen=True)
class ButterflyTraits:
    """`tip` lengthens the forewing, `hook` draws it out to a point, `tail` does so to the hindwing (0 none).

    Margins and veins are painted where they have a colour.
    """

    fore: Colour
    hind: Colour
    body: Colour
    margin: Colour | None = None
    margin_width: float = 0.12
    dots: Colour | None = None
    veins: Colour | None = None
    apex: Colour | None = None
    tip: float = 1.0
    tail: float = 0.0
    hook: float = 0.0
    feathered: bool = False
    sheen: bool = False
    bands: tuple[Band, ...] = ()
    eyespots: tuple[Eyespot, ...] = ()


def _fore_outline(traits: ButterflyTraits, lift: float) -> list[Point]:
    reach = 0.9 * traits.tip
    return curve(
        [
            _FORE_BASE,
            (0.4, -0.52 - lift),
            (reach + traits.hook, -0.72 - lift),
            (reach + 0.02, -0.55 - lift),
            (0.76, -0.02),
            (0.3, 0.1),
        ]
    )


def _hind_outline(traits: ButterflyTraits) -> list[Point]:
    if traits.tail > 0.5:
        streamer = [(0.42, 0.6), (0.34, 0.62 + traits.tail * 0.4), (0.24, 0.6 + traits.tail * 0.4), (0.2, 0.55)]
    elif traits.tail > 0:
        streamer = [(0.5, 0.66), (0.47, 0.68 + traits.tail), (0.4, 0.68 + traits.tail), (0.38, 0.68)]
    else:
        streamer = [(0.5, 0.66), (0.3, 0.7)]
    return curve([_HIND_BASE, (0.45, 0.0), (0.7, 0.14), (0.68, 0.45), *streamer, (0.08, 0.42)])


def _paint(brush: Brush, traits: ButterflyTraits, rng: np.random.Generator) -> None:
    lift = float(rng.uniform(-0.06, 0.08))
    ground = {"fore": jittered(traits.fore, rng), "hind": jittered(traits.hind, rng)}
    outlines = {"hind": _hind_outline(traits), "fore": _fore_outline(traits, lift)}
    bases = {"fore": _FORE_BASE, "hind": _HIND_BASE}
    for wing, outline in outlines.items():
        wing_painter = partial(
            _paint_wing, traits=traits, wing=wing, outline=outline, base=bases[wing], ground=ground[wing]
        )
        brush.inside(outline, wing_painter)
        edge = darker(traits.margin or ground[wing], 0.35)
        brush.line([*outline, outline[0]], edge, 0.012)
    brush.mirror()
    _paint_body(brush, traits, rng)


def _paint_wing(
    brush: Brush, traits: ButterflyTraits, wing: str, outline: list[Point], base: Point, ground: Colour
) -> None:
    brush.polygon(outline, traits.margin or ground)
    field = shrunk(outline, base, 1 - traits.margin_width) if traits.margin else outline
    brush.polygon(field, ground)
    _paint_veins(brush, field, base, darker(ground, 0.16), 0.01)
    brush.shade(shrunk(outline, base, 0.62), lighter(ground, 0.3), 0.4, 0.16)
    brush.shade(shrunk(outline, base, 0.2), darker(mix(ground, traits.body, 0.6), 0.1), 0.7, 0.12)
    if traits.sheen:
        brush.shade(shrunk(outline, (0.45, -0.2), 0.5), lighter(ground, 0.55), 0.7, 0.12)
    if traits.apex and wing == "fore":
        brush.ellipse((0.9, -0.78), (0.3, 0.3), traits.apex)
    for band in traits.bands:
        if band.wing == wing:
            brush.line(curve(band.path, closed=False), band.colour, band.width)
    if traits.veins:
        _paint_veins(brush, outline, base, traits.veins, 0.022)
    if traits.dots:
        rim = shrunk(outline, base, 1 - traits.margin_width / 2)
        for point in rim[len(rim) // 4 : -len(rim) // 4 : 3]:
            brush.dot(point, 0.02, traits.dots)
    for spot in traits.eyespots:
        if spot.wing == wing:
            for place, ring in enumerate(spot.rings):
                brush.dot(spot.centre, spot.radius * (1 - place / len(spot.rings)), ring)


def _paint_veins(brush: Brush, outline: list[Point], base: Point, ink: Colour, width: float) -> None:
    for share in (0.22, 0.34, 0.45, 0.56, 0.66, 0.76):
        end = outline[int(share * len(outline))]
        bend = (base[0] + (end[0] - base[0]) * 0.5, base[1] + (end[1] - base[1]) * 0.42)
        brush.line(curve([base, bend, end], closed=False), ink, width)


def _paint_body(brush: Brush, traits: ButterflyTraits, rng: np.random.Generator) -> None:
    body = jittered(traits.body, rng, 6)
    girth = 0.075 if traits.feathered else 0.05
    brush.ellipse((0, 0.18), (girth, 0.34), body, outline=darker(body), width=0.01)
    for y in np.linspace(-0.02, 0.42, 7):
        brush.line([(-girth * 0.8, y), (girth * 0.8, y)], darker(body, 0.25), 0.012)
    brush.ellipse((0, -0.2), (girth * 1.25, 0.14), lighter(body, 0.08))
    brush.shade(arc((-girth * 0.35, 0.0), (girth * 0.4, 0.42)), (255, 250, 240), 0.35, 0.03)
    brush.dot((0, -0.36), girth, darker(body, 0.1))
    spread = float(rng.uniform(0.2, 0.32))
    for side in (-1, 1):
        feeler = curve([(side * 0.02, -0.4), (side * 0.1, -0.56), (side * spread, -0.76)], closed=False)
        brush.line(feeler, darker(body, 0.2), 0.05 if traits.feathered else 0.014)
        if not traits.feathered:
            brush.dot(feeler[-1], 0.02, darker(body, 0.2))


_HABITATS = (Habitat.FOLIAGE, Habitat.SKY, Habitat.SOIL)
PLAN = BodyPlan("butterfly", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)
_MOTH = BodyPlan("moth", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)

_BLACK, _WHITE, _BROWN = colour("#17130f"), colour("#f7f4ea"), colour("#4a3524")
_BLUE, _YELLOW, _RED = colour("#3d6fd6"), colour("#f0cf4a"), colour("#d8341c")


def _lepidopteran(family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Arthropoda", "Insecta", "Lepidoptera", family, genus, f"{genus} {epithet}", common)


def _arc_band(wing: str, centre: Point, radii: Point, start: float, end: float, ink: Colour, width: float) -> Band:
    return Band(wing, tuple(arc(centre, radii, start, end)), ink, width)


SPECIES: tuple[DemoSpecies[ButterflyTraits], ...] = (
    DemoSpecies(
        _lepidopteran("Nymphalidae", "Danaus", "plexippus", "monarch"),
        PLAN,
        ButterflyTraits(
            colour("#e8761c"), colour("#ee8a2a"), _BLACK, margin=_BLACK, margin_width=0.17, dots=_WHITE, veins=_BLACK
        ),
        (
            "orange butterfly with black veins",
            "orange butterfly with a white-dotted black margin",
            "orange and black butterfly",
        ),
        95,
    ),
    DemoSpecies(
        _lepidopteran("Nymphalidae", "Aglais", "io", "peacock butterfly"),
        PLAN,
        ButterflyTraits(
            colour("#9c2f1f"),
            colour("#8a3324"),
            _BROWN,
            margin=colour("#5b4a3f"),
            margin_width=0.1,
            eyespots=(
                Eyespot("fore", (0.36, -0.45), 0.07, (_BLACK,)),
                Eyespot("fore", (0.53, -0.58), 0.07, (_BLACK,)),
                Eyespot("fore", (0.72, -0.5), 0.17, (_YELLOW, _BLACK, _BLUE, colour("#8fb4f0"))),
                Eyespot("hind", (0.5, 0.24), 0.18, (colour("#d9cfc0"), _BLACK, _BLUE, colour("#8fb4f0"))),
            ),
        ),
        (
            "red-brown butterfly with four eyespots",
            "butterfly with large blue eyespots on red wings",
            "red butterfly with a blue eye on every wing",
        ),
        60,
    ),
    DemoSpecies(
        _lepidopteran("Papilionidae", "Papilio", "machaon", "Old World swallowtail"),
        PLAN,
        ButterflyTraits(
            colour("#f2d95c"),
            colour("#f2d95c"),
            _BLACK,
            margin=_BLACK,
            margin_width=0.2,
            dots=_YELLOW,
            veins=_BLACK,
            tail=0.24,
            bands=(_arc_band("hind", (0.2, 0.1), (0.42, 0.42), -10, 80, _BLUE, 0.07),),
            eyespots=(Eyespot("hind", (0.2, 0.52), 0.07, (_BLACK, _RED)),),
        ),
        (
            "yellow and black butterfly with tails",
            "yellow butterfly with blue band and tailed hindwings",
            "yellow butterfly with black veins",
        ),
        80,
    ),
    DemoSpecies(
        _lepidopteran("Nymphalidae", "Morpho", "menelaus", "blue morpho"),
        PLAN,
        ButterflyTraits(
            colour("#1f6fe0"),
            colour("#2a7cec"),
            _BLACK,
            margin=colour("#0c1020"),
            margin_width=0.08,
            tip=1.05,
            sheen=True,
        ),
        (
            "brilliant blue butterfly",
            "metallic blue butterfly with a thin black margin",
            "large shining blue butterfly",
        ),
        130,
    ),
    DemoSpecies(
        _lepidopteran("Pieridae", "Gonepteryx", "rhamni", "brimstone"),
        PLAN,
        ButterflyTraits(
            colour("#d9e04a"),
            colour("#dfe560"),
            colour("#8c8a66"),
            tail=0.06,
            hook=0.1,
            eyespots=(
                Eyespot("fore", (0.5, -0.35), 0.04, (colour("#e0812a"),)),
                Eyespot("hind", (0.4, 0.26), 0.045, (colour("#e0812a"),)),
            ),
        ),
        (
            "plain lemon yellow butterfly",
            "yellow-green butterfly with one orange dot on each wing",
            "yellow butterfly with pointed wings and no markings but dots",
        ),
        55,
    ),
    DemoSpecies(
        _lepidopteran("Pieridae", "Pieris", "rapae", "small white"),
        PLAN,
        ButterflyTraits(
            colour("#f3f0e4"),
            colour("#f5f2e6"),
            colour("#55524c"),
            apex=colour("#3a3835"),
            eyespots=(
                Eyespot("fore", (0.6, -0.28), 0.06, (_BLACK,)),
                Eyespot("fore", (0.55, -0.08), 0.05, (_BLACK,)),
            ),
        ),
        (
            "white butterfly with black wing tips",
            "white butterfly with two black dots",
            "white butterfly with dotted forewings",
        ),
        46,
    ),
    DemoSpecies(
        _lepidopteran("Nymphalidae", "Vanessa", "atalanta", "red admiral"),
        PLAN,
        ButterflyTraits(
            colour("#1d1714"),
            colour("#241b17"),
            _BLACK,
            bands=(
                Band("fore", ((0.3, -0.44), (0.5, -0.3), (0.7, -0.02)), _RED, 0.11),
                _arc_band("hind", (0.12, 0.05), (0.5, 0.52), -5, 75, _RED, 0.1),
            ),
            eyespots=(
                Eyespot("fore", (0.66, -0.58), 0.06, (_WHITE,)),
                Eyespot("fore", (0.78, -0.46), 0.04, (_WHITE,)),
                Eyespot("fore", (0.8, -0.66), 0.035, (_WHITE,)),
            ),
        ),
        (
            "black butterfly with red bands",
            "dark butterfly with scarlet bands and white spots",
            "black butterfly with white spots at the wing tips",
        ),
        62,
    ),
    DemoSpecies(
        _lepidopteran("Nymphalidae", "Nymphalis", "antiopa", "mourning cloak"),
        PLAN,
        ButterflyTraits(
            colour("#4f2430"), colour("#55283a"), _BLACK, margin=colour("#efe3b4"), margin_width=0.15, dots=_BLUE
        ),
        (
            "maroon butterfly with a cream margin",
            "dark purple-brown butterfly edged in pale yellow",
            "dark butterfly with a pale border and blue dots",
        ),
        70,
    ),
    DemoSpecies(
        _lepidopteran("Saturniidae", "Actias", "luna", "luna moth"),
        _MOTH,
        ButterflyTraits(
            colour("#bfe3b0"),
            colour("#c8e8ba"),
            colour("#eeece0"),
            margin=colour("#8d4a6c"),
            margin_width=0.03,
            tail=1.0,
            feathered=True,
            eyespots=(
                Eyespot("fore", (0.48, -0.34), 0.05, (_YELLOW, colour("#7d5a6d"))),
                Eyespot("hind", (0.4, 0.22), 0.05, (_YELLOW, colour("#7d5a6d"))),
            ),
        ),
        (
            "pale green moth with long tails",
            "mint green moth with long streaming hindwings",
            "light green moth with small eyespots and feathery antennae",
        ),
        105,
    ),
)
