"""Dragonflies and damselflies from above."""

from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, arc, colour, curve, darker, jittered, lighter, shrunk
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "DragonflyTraits"]


@dataclass(frozen=True)
class DragonflyTraits:
    """`girth` is the half width of the abdomen; `patch` colours the base of the wings up to `patch_share`."""

    thorax: Colour
    abdomen: Colour
    eyes: Colour
    girth: float
    wings: Colour = (216, 222, 222)
    wing_width: float = 0.1
    patch: Colour | None = None
    patch_share: float = 0.3
    clearness: float = 0.45
    midline: Colour | None = None
    flanks: Colour | None = None


def _paint(brush: Brush, traits: DragonflyTraits, rng: np.random.Generator) -> None:
    lift = float(rng.uniform(-0.05, 0.05))
    for y, tip, width in ((-0.38, -0.52 - lift, traits.wing_width), (-0.22, 0.0 + lift, traits.wing_width * 1.25)):
        _paint_wing(brush, traits, y, tip, width)
    brush.fade(1 - traits.clearness)
    brush.mirror()
    _paint_body(brush, traits, rng)


def _paint_wing(brush: Brush, traits: DragonflyTraits, y: float, tip: float, width: float) -> None:
    outline = curve(
        [
            (0.05, y),
            (0.5, (y + tip) / 2 - width),
            (0.93, tip - width * 0.8),
            (0.95, tip + width * 0.6),
            (0.5, (y + tip) / 2 + width),
        ]
    )
    vein = darker(traits.wings, 0.32)

    def membrane(inner: Brush) -> None:
        inner.polygon(outline, traits.wings)
        if traits.patch:
            inner.polygon(shrunk(outline, (0.05, y), traits.patch_share), traits.patch)
        for share in np.linspace(0.12, 0.9, 9):
            inner.line([(0.05, y), outline[int(share * len(outline))]], vein, 0.008)
        for x in np.linspace(0.25, 0.9, 9):
            inner.line([(x, -1), (x + 0.02, 1)], vein, 0.005)
        inner.ellipse((0.82, tip - width * 0.75), (0.05, 0.03), darker(traits.wings, 0.7))

    brush.inside(outline, membrane)
    brush.line([*outline, outline[0]], vein, 0.01)


def _paint_body(brush: Brush, traits: DragonflyTraits, rng: np.random.Generator) -> None:
    abdomen = jittered(traits.abdomen, rng, 7)
    girth = traits.girth
    shape = [
        (-girth, -0.15),
        (girth, -0.15),
        (girth * 1.1, 0.2),
        (girth * 0.75, 0.8),
        (0, 0.9),
        (-girth * 0.75, 0.8),
        (-girth * 1.1, 0.2),
    ]
    if traits.flanks:
        brush.polygon(curve(shape), traits.flanks, outline=darker(traits.flanks, 0.4))
        brush.polygon(curve(shrunk(shape, (0, 0.3), 0.72)), abdomen)
    else:
        brush.polygon(curve(shape), abdomen, outline=darker(abdomen, 0.4))
    brush.shade(arc((-girth * 0.35, 0.3), (girth * 0.3, 0.5)), (255, 255, 255), 0.45, 0.035)
    for y in np.linspace(0.0, 0.75, 7):
        brush.line([(-girth, y), (girth, y)], darker(abdomen, 0.25), 0.01)
    if traits.midline:
        brush.line([(0, -0.1), (0, 0.82)], traits.midline, 0.035)
    thorax = jittered(traits.thorax, rng, 7)
    brush.ellipse((0, -0.32), (0.12, 0.2), thorax, outline=darker(thorax, 0.4))
    brush.shade(arc((-0.03, -0.36), (0.035, 0.1)), (255, 255, 240), 0.5, 0.04)
    for side in (-1, 1):
        brush.ellipse((side * 0.07, -0.58), (0.085, 0.085), traits.eyes)
        brush.dot((side * 0.09, -0.61), 0.02, lighter(traits.eyes, 0.6))


_HABITATS = (Habitat.WATER, Habitat.FOLIAGE, Habitat.SKY)
PLAN = BodyPlan("dragonfly", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)
_DAMSELFLY = BodyPlan("damselfly", _paint, (Style.PINNED, Style.FIELD), _HABITATS, turn=50)


def _odonate(family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Arthropoda", "Insecta", "Odonata", family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[DragonflyTraits], ...] = (
    DemoSpecies(
        _odonate("Calopterygidae", "Calopteryx", "virgo", "beautiful demoiselle"),
        _DAMSELFLY,
        DragonflyTraits(
            colour("#1c6f5c"),
            colour("#157a72"),
            colour("#20302c"),
            0.03,
            wings=colour("#1f2f6c"),
            wing_width=0.17,
            clearness=0.06,
        ),
        (
            "damselfly with dark blue wings",
            "slender metallic green damselfly with broad dark wings",
            "thin green-bodied damselfly with blue-black wings",
        ),
        65,
    ),
    DemoSpecies(
        _odonate("Libellulidae", "Libellula", "depressa", "broad-bodied chaser"),
        PLAN,
        DragonflyTraits(
            colour("#5a4a2c"),
            colour("#8cb4dc"),
            colour("#4a3322"),
            0.15,
            patch=colour("#2c1608"),
            patch_share=0.42,
            flanks=colour("#d9c04a"),
        ),
        (
            "dragonfly with a broad pale blue abdomen",
            "dragonfly with dark patches at the base of the wings",
            "stout light blue dragonfly with yellow sides",
        ),
        75,
    ),
    DemoSpecies(
        _odonate("Aeshnidae", "Anax", "imperator", "emperor dragonfly"),
        PLAN,
        DragonflyTraits(colour("#4fa53c"), colour("#2a78d8"), colour("#2f8f7a"), 0.06, midline=colour("#141a22")),
        (
            "dragonfly with a green thorax and bright blue abdomen",
            "large blue and green dragonfly",
            "blue dragonfly with a black line along its back",
        ),
        100,
    ),
    DemoSpecies(
        _odonate("Libellulidae", "Sympetrum", "sanguineum", "ruddy darter"),
        PLAN,
        DragonflyTraits(
            colour("#7a2a1a"), colour("#d8281c"), colour("#8a2420"), 0.06, patch=colour("#d99a3a"), patch_share=0.12
        ),
        ("blood red dragonfly", "small dragonfly with a red abdomen and clear wings", "slender red dragonfly"),
        58,
    ),
)
