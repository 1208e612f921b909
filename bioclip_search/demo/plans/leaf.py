"""Leaves: single blades of any outline, or leaflets set like feathers or fingers."""

import math
from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, colour, curve, darker, jittered, lighter, mirrored, mix
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "LeafTraits"]


@dataclass(frozen=True)
class LeafTraits:
    """`half` is the right half of a blade's outline, base (below) to tip (above), in the unit box.

    `leaflets` places blades as (x, y, length, angle in degrees from upright); one for a simple leaf.
    `rounded` joins the outline's points by a curve; `radial` draws veins from the base like fingers.
    """

    half: tuple[Point, ...]
    green: Colour
    autumn: Colour
    leaflets: tuple[tuple[float, float, float, float], ...] = ((0.0, 0.55, 1.4, 0.0),)
    stalk: float = 0.35
    rounded: bool = True
    radial: bool = False
    berries: Colour | None = None
    pale_veins: bool = True


def _paint(brush: Brush, traits: LeafTraits, rng: np.random.Generator) -> None:
    season = float(rng.beta(0.7, 1.6)) * 0.8
    blade = jittered(mix(traits.green, traits.autumn, season), rng, 8)
    stem = mix(blade, colour("#6b4a2a"), 0.6)
    lowest = max(y for _, y, _, _ in traits.leaflets)
    highest = min(y for _, y, _, _ in traits.leaflets)
    sway = float(rng.normal(0, 0.05))
    brush.line(
        curve([(sway, lowest + traits.stalk), (0, lowest), (0, (lowest + highest) / 2), (0, highest)], closed=False),
        stem,
        0.03,
    )
    if traits.berries:
        _paint_berries(brush, traits.berries, rng)
    for x, y, length, angle in traits.leaflets:
        _paint_blade(brush, traits, (x, y), length * float(rng.normal(1, 0.03)), angle + float(rng.normal(0, 2)), blade)


def _paint_blade(brush: Brush, traits: LeafTraits, base: Point, length: float, angle: float, blade: Colour) -> None:
    turn = math.radians(angle)

    def place(point: Point) -> Point:
        x, y = point[0] * length, -point[1] * length
        return base[0] + x * math.cos(turn) - y * math.sin(turn), base[1] + x * math.sin(turn) + y * math.cos(turn)

    outline: list[Point] = [*traits.half, *mirrored(traits.half)]
    if traits.rounded:
        outline = curve(outline, steps=5)
    vein = lighter(blade, 0.35) if traits.pale_veins else darker(blade, 0.3)

    def surface(inner: Brush) -> None:
        inner.polygon([place(point) for point in outline], blade)
        inner.polygon([place((max(x, 0), y)) for x, y in outline], lighter(blade, 0.07))
        for start, end in _veins(traits):
            inner.line([place(start), place(end)], vein, 0.012 * min(1.0, length + 0.3))

    shape = [place(point) for point in outline]
    brush.inside(shape, surface)
    brush.line([*shape, shape[0]], darker(blade, 0.35), 0.012)
    brush.line([place((0, 0)), place((0, 0.97 * traits.half[-1][1]))], vein, 0.02 * min(1.0, length + 0.2))


def _veins(traits: LeafTraits) -> list[tuple[Point, Point]]:
    if traits.radial:
        tips = [point for point in traits.half if math.hypot(*point) > 0.45]
        return [((0.0, 0.02), (side * x, y)) for x, y in tips for side in (-1, 1)]
    return [((0.0, y), (side * 0.6, y + 0.28)) for y in np.linspace(0.05, 0.85, 8) for side in (-1, 1)]


def _paint_berries(brush: Brush, berry: Colour, rng: np.random.Generator) -> None:
    for _ in range(14):
        x, y = rng.normal(0.0, 0.16), rng.normal(0.78, 0.08)
        brush.dot((float(x), float(y)), 0.055, darker(jittered(berry, rng, 6), 0.15))
        brush.dot((float(x) - 0.012, float(y) - 0.012), 0.035, jittered(berry, rng, 6))


def _pinnate(pairs: int, length: float) -> tuple[tuple[float, float, float, float], ...]:
    rows = np.linspace(0.5, -0.45, pairs)
    sides = [(0.0, float(y), length, side * 62.0) for y in rows for side in (-1, 1)]
    return (*sides, (0.0, -0.5, length, 0.0))


_HABITATS = (Habitat.SOIL, Habitat.STONE, Habitat.SKY)
PLAN = BodyPlan("leaf", _paint, (Style.SHEET, Style.FIELD), _HABITATS, turn=35)

_OVATE = ((0.0, 0.0), (0.12, 0.1), (0.15, 0.4), (0.11, 0.75), (0.0, 1.0))


def _plant(order: str, family: str, genus: str, epithet: str, common: str, class_: str = "Magnoliopsida") -> Taxon:
    return Taxon("Plantae", "Tracheophyta", class_, order, family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[LeafTraits], ...] = (
    DemoSpecies(
        _plant("Fagales", "Fagaceae", "Quercus", "robur", "English oak"),
        PLAN,
        LeafTraits(
            (
                (0.0, 0.0),
                (0.07, 0.02),
                (0.05, 0.1),
                (0.19, 0.17),
                (0.1, 0.27),
                (0.28, 0.36),
                (0.14, 0.47),
                (0.35, 0.6),
                (0.18, 0.7),
                (0.28, 0.84),
                (0.13, 0.88),
                (0.0, 1.0),
            ),
            colour("#3f7a34"),
            colour("#a0702c"),
            stalk=0.2,
        ),
        ("lobed oak leaf", "leaf with rounded lobes"),
        110,
    ),
    DemoSpecies(
        _plant("Ginkgoales", "Ginkgoaceae", "Ginkgo", "biloba", "maidenhair tree", class_="Ginkgoopsida"),
        PLAN,
        LeafTraits(
            (
                (0.0, 0.0),
                (0.12, 0.14),
                (0.34, 0.38),
                (0.62, 0.58),
                (0.6, 0.72),
                (0.42, 0.84),
                (0.2, 0.9),
                (0.06, 0.88),
                (0.0, 0.66),
            ),
            colour("#86b04a"),
            colour("#ecc42c"),
            leaflets=((0.0, 0.4, 1.35, 0.0),),
            stalk=0.55,
            radial=True,
        ),
        ("fan-shaped leaf", "fan-shaped leaf with a notch"),
        80,
    ),
    DemoSpecies(
        _plant("Sapindales", "Sapindaceae", "Acer", "platanoides", "Norway maple"),
        PLAN,
        LeafTraits(
            (
                (0.0, 0.0),
                (0.1, -0.06),
                (0.34, -0.12),
                (0.3, 0.02),
                (0.46, 0.1),
                (0.3, 0.16),
                (0.62, 0.34),
                (0.44, 0.38),
                (0.5, 0.52),
                (0.26, 0.44),
                (0.2, 0.6),
                (0.24, 0.72),
                (0.1, 0.7),
                (0.0, 1.0),
            ),
            colour("#4f9440"),
            colour("#e07a1e"),
            leaflets=((0.0, 0.45, 1.4, 0.0),),
            stalk=0.5,
            rounded=False,
            radial=True,
        ),
        ("pointed palmate maple leaf", "maple leaf with five sharp lobes"),
        140,
    ),
    DemoSpecies(
        _plant("Fagales", "Betulaceae", "Betula", "pendula", "silver birch"),
        PLAN,
        LeafTraits(
            (
                (0.0, 0.0),
                (0.24, 0.04),
                (0.36, 0.16),
                (0.3, 0.2),
                (0.36, 0.28),
                (0.27, 0.33),
                (0.3, 0.42),
                (0.2, 0.47),
                (0.22, 0.57),
                (0.12, 0.64),
                (0.12, 0.74),
                (0.05, 0.82),
                (0.0, 1.0),
            ),
            colour("#6da043"),
            colour("#e0bc38"),
            leaflets=((0.0, 0.3, 1.05, 0.0),),
            stalk=0.45,
            rounded=False,
        ),
        ("triangular toothed birch leaf", "small diamond-shaped leaf with toothed edges"),
        50,
    ),
    DemoSpecies(
        _plant("Apiales", "Araliaceae", "Hedera", "helix", "common ivy"),
        PLAN,
        LeafTraits(
            (
                (0.0, 0.0),
                (0.14, -0.12),
                (0.4, -0.08),
                (0.36, 0.12),
                (0.62, 0.36),
                (0.34, 0.42),
                (0.2, 0.62),
                (0.0, 1.0),
            ),
            colour("#1f4f30"),
            colour("#2c4a2a"),
            leaflets=((0.0, 0.35, 1.2, 0.0),),
            stalk=0.5,
            radial=True,
        ),
        ("dark green ivy leaf with pale veins", "dark five-lobed leaf"),
        70,
    ),
    DemoSpecies(
        _plant("Sapindales", "Sapindaceae", "Aesculus", "hippocastanum", "horse chestnut"),
        PLAN,
        LeafTraits(
            ((0.0, 0.0), (0.04, 0.1), (0.12, 0.42), (0.2, 0.72), (0.12, 0.88), (0.0, 1.0)),
            colour("#4a8a3a"),
            colour("#b5772c"),
            leaflets=tuple(
                (0.0, 0.25, 1.15 - abs(turn) / 260, float(turn)) for turn in (-125, 125, -82, 82, -42, 42, 0)
            ),
            stalk=0.7,
        ),
        ("leaf with seven leaflets like a hand", "palmate compound leaf"),
        220,
    ),
    DemoSpecies(
        _plant("Rosales", "Rosaceae", "Sorbus", "aucuparia", "rowan"),
        PLAN,
        LeafTraits(
            _OVATE, colour("#5a9440"), colour("#d0622a"), _pinnate(6, 0.62), stalk=0.1, berries=colour("#e0321c")
        ),
        ("feather-like leaf with red berries", "pinnate leaf with many leaflets and red berries"),
        160,
    ),
    DemoSpecies(
        _plant("Malpighiales", "Salicaceae", "Salix", "alba", "white willow"),
        PLAN,
        LeafTraits(
            ((0.0, 0.0), (0.06, 0.15), (0.095, 0.45), (0.05, 0.8), (0.0, 1.0)),
            colour("#9fb89a"),
            colour("#cfc37a"),
            leaflets=((0.0, 0.85, 1.7, 0.0),),
            stalk=0.1,
        ),
        ("long narrow silvery willow leaf", "slender lance-shaped leaf"),
        90,
    ),
    DemoSpecies(
        _plant("Magnoliales", "Magnoliaceae", "Liriodendron", "tulipifera", "tulip tree"),
        PLAN,
        LeafTraits(
            ((0.0, 0.0), (0.3, 0.0), (0.52, 0.2), (0.34, 0.4), (0.42, 0.74), (0.3, 0.8), (0.0, 0.66)),
            colour("#6fae46"),
            colour("#e8c62e"),
            leaflets=((0.0, 0.4, 1.4, 0.0),),
            stalk=0.5,
            rounded=False,
        ),
        ("four-lobed leaf with a cut-off tip", "leaf shaped like a tulip"),
        120,
    ),
)
