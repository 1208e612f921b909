"""Mushrooms from the side."""

from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, arc, colour, curve, darker, jittered, lighter
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "MushroomTraits"]


@dataclass(frozen=True)
class MushroomTraits:
    """`profile` is the right half of the cap from its top to where it meets the stem, in the unit box."""

    cap: Colour
    stem: Colour
    profile: tuple[Point, ...]
    stem_width: float = 0.14
    stem_swell: float = 1.2
    warts: Colour | None = None
    ring: bool = False
    cup: bool = False
    gills: Colour | None = None
    shaggy: bool = False
    pitted: bool = False


def _paint(brush: Brush, traits: MushroomTraits, rng: np.random.Generator) -> None:
    cap, stem = jittered(traits.cap, rng, 8), jittered(traits.stem, rng, 6)
    lean = float(rng.normal(0, 0.05))
    stretch = float(rng.normal(1, 0.06))
    profile = [(x * stretch, y) for x, y in traits.profile]
    _paint_stem(brush, traits, stem, profile[-1][1], lean)
    outline = curve([*profile, *((-x, y) for x, y in reversed(profile[1:]))], steps=6)
    if traits.gills:
        _paint_gills(brush, traits.gills, profile)
    brush.inside(outline, lambda inner: _paint_cap(inner, traits, outline, cap, rng))
    brush.line([*outline, outline[0]], darker(cap, 0.4), 0.014)


def _paint_stem(brush: Brush, traits: MushroomTraits, stem: Colour, top: float, lean: float) -> None:
    width, foot = traits.stem_width, traits.stem_width * traits.stem_swell
    outline = curve(
        [
            (width, top - 0.1),
            (width * 0.95 + lean / 2, 0.4),
            (foot + lean, 0.86),
            (lean, 0.94),
            (-foot + lean, 0.86),
            (-width * 0.95 + lean / 2, 0.4),
            (-width, top - 0.1),
        ]
    )
    if traits.cup:
        brush.ellipse((lean, 0.84), (foot * 1.5, 0.14), lighter(stem, 0.2), outline=darker(stem, 0.35))
    brush.polygon(outline, stem, outline=darker(stem, 0.35))
    brush.line([(-width * 0.4, top + 0.1), (-width * 0.5 + lean, 0.8)], lighter(stem, 0.35), 0.05)
    if traits.ring:
        skirt = [
            (-width * 1.15, top + 0.2),
            (width * 1.15, top + 0.2),
            (width * 1.7, top + 0.33),
            (-width * 1.7, top + 0.33),
        ]
        brush.polygon(curve(skirt), lighter(stem, 0.3), outline=darker(stem, 0.3))


def _paint_gills(brush: Brush, gills: Colour, profile: list[Point]) -> None:
    reach = max(x for x, _ in profile)
    rim = max(y for _, y in profile)
    brush.ellipse((0, rim - 0.01), (reach * 0.93, 0.13), gills, outline=darker(gills, 0.35))
    for x in np.linspace(-reach * 0.85, reach * 0.85, 15):
        brush.line([(x, rim + 0.02), (x * 0.3, rim + 0.11)], darker(gills, 0.25), 0.012)


def _paint_cap(
    brush: Brush, traits: MushroomTraits, outline: list[Point], cap: Colour, rng: np.random.Generator
) -> None:
    brush.polygon(outline, cap)
    top = min(y for _, y in outline)
    brush.ellipse((-0.2, top + 0.28), (0.28, 0.2), lighter(cap, 0.22), angle=-20)
    if traits.warts:
        for _ in range(26):
            x, y = rng.uniform(-0.8, 0.8), rng.uniform(top + 0.05, top + 0.75)
            brush.ellipse((float(x), float(y)), (float(rng.uniform(0.03, 0.06)), 0.035), traits.warts)
    if traits.shaggy:
        for _ in range(40):
            x, y = rng.uniform(-0.4, 0.4), rng.uniform(top, 0.5)
            brush.line(
                arc((float(x), float(y)), (0.07, 0.05), 0, 180), darker(cap, float(rng.uniform(0.2, 0.45))), 0.018
            )
    if traits.pitted:
        for row, y in enumerate(np.arange(top + 0.06, 0.5, 0.14)):
            for x in np.arange(-0.45 + 0.08 * (row % 2), 0.5, 0.16):
                brush.ellipse((float(x), float(y)), (0.06, 0.055), darker(cap, 0.55))


_HABITATS = (Habitat.SOIL, Habitat.FOLIAGE)
PLAN = BodyPlan("mushroom", _paint, (Style.FIELD, Style.TRAY), _HABITATS)

_WHITE = colour("#f6f1e4")
_DOME = ((0.0, -0.82), (0.45, -0.7), (0.76, -0.36), (0.78, -0.14), (0.4, -0.08), (0.12, -0.06))
_BUN = ((0.0, -0.7), (0.55, -0.62), (0.84, -0.3), (0.74, -0.04), (0.4, 0.02), (0.16, 0.02))
_FLAT = ((0.0, -0.5), (0.45, -0.42), (0.74, -0.22), (0.72, -0.12), (0.4, -0.1), (0.1, -0.08))
_FUNNEL = ((0.0, -0.3), (0.4, -0.5), (0.82, -0.48), (0.66, -0.22), (0.3, 0.16), (0.16, 0.4))
_BELL = ((0.0, -0.92), (0.24, -0.8), (0.36, -0.3), (0.42, 0.28), (0.34, 0.36), (0.12, 0.34))
_SPONGE = ((0.0, -0.88), (0.26, -0.74), (0.42, -0.3), (0.38, 0.1), (0.24, 0.28), (0.14, 0.3))


def _fungus(
    class_: str, order: str, family: str, genus: str, epithet: str, common: str, phylum: str = "Basidiomycota"
) -> Taxon:
    return Taxon("Fungi", phylum, class_, order, family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[MushroomTraits], ...] = (
    DemoSpecies(
        _fungus("Agaricomycetes", "Agaricales", "Amanitaceae", "Amanita", "muscaria", "fly agaric"),
        PLAN,
        MushroomTraits(colour("#d8231a"), _WHITE, _DOME, warts=_WHITE, ring=True, gills=_WHITE),
        ("red mushroom with white warts", "red toadstool with white spots"),
        150,
    ),
    DemoSpecies(
        _fungus("Agaricomycetes", "Agaricales", "Amanitaceae", "Amanita", "phalloides", "death cap"),
        PLAN,
        MushroomTraits(colour("#a3ab5e"), colour("#eeeed6"), _FLAT, ring=True, cup=True, gills=_WHITE, stem_width=0.1),
        ("olive green mushroom with a ring and a cup", "pale green mushroom with white gills"),
        120,
    ),
    DemoSpecies(
        _fungus("Agaricomycetes", "Boletales", "Boletaceae", "Boletus", "edulis", "penny bun"),
        PLAN,
        MushroomTraits(
            colour("#8a4f26"), colour("#e0cfae"), _BUN, stem_width=0.26, stem_swell=1.45, gills=colour("#e2d68a")
        ),
        ("brown bun-shaped mushroom with a thick stem", "stout mushroom with a brown cap"),
        180,
    ),
    DemoSpecies(
        _fungus("Agaricomycetes", "Cantharellales", "Hydnaceae", "Cantharellus", "cibarius", "golden chanterelle"),
        PLAN,
        MushroomTraits(colour("#f0b01e"), colour("#eebc44"), _FUNNEL, stem_swell=0.7, stem_width=0.17),
        ("egg-yellow funnel-shaped mushroom", "golden yellow trumpet mushroom"),
        80,
    ),
    DemoSpecies(
        _fungus("Agaricomycetes", "Agaricales", "Agaricaceae", "Coprinus", "comatus", "shaggy ink cap"),
        PLAN,
        MushroomTraits(colour("#efeae0"), colour("#f2efe6"), _BELL, stem_width=0.09, shaggy=True),
        ("tall white shaggy mushroom", "white bell-shaped mushroom with scales"),
        200,
    ),
    DemoSpecies(
        _fungus("Agaricomycetes", "Agaricales", "Hydnangiaceae", "Laccaria", "amethystina", "amethyst deceiver"),
        PLAN,
        MushroomTraits(colour("#7a4aa8"), colour("#8a62b0"), _FLAT, stem_width=0.075, gills=colour("#8f5cc0")),
        ("purple mushroom", "small violet mushroom with a thin stem"),
        60,
    ),
    DemoSpecies(
        _fungus(
            "Pezizomycetes", "Pezizales", "Morchellaceae", "Morchella", "esculenta", "common morel", phylum="Ascomycota"
        ),
        PLAN,
        MushroomTraits(colour("#b58a4c"), colour("#ece0c4"), _SPONGE, stem_width=0.16, pitted=True),
        ("brown mushroom like a honeycomb", "morel with a pitted spongy cap"),
        110,
    ),
)
