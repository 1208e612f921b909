"""Shells: fans, coils, spires, cones and eggs."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, arc, colour, curve, darker, jittered, lighter
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "ShellTraits"]


@dataclass(frozen=True)
class ShellTraits:
    """`build` draws the form in its colours: the ground, the pattern, the opening."""

    build: Callable[[Brush, "ShellTraits", np.random.Generator], None]
    ground: Colour
    pattern: Colour
    opening: Colour = (235, 215, 200)
    whorls: int = 6
    width: float = 0.5


def _paint(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    traits.build(brush, traits, rng)


def _fan(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    ground = jittered(traits.ground, rng)
    brush.polygon(
        [(-0.4, 0.72), (0.4, 0.72), (0.34, 0.5), (-0.34, 0.5)], darker(ground, 0.1), outline=darker(ground, 0.5)
    )
    rim = [(x, y - 0.05) for x, y in arc((0, 0.0), (0.88, 0.82), 155, 385)]
    outline = [(0.0, 0.78), *rim]
    brush.polygon(outline, ground)
    for share in (0.85, 0.62, 0.4):
        edge = [(x * share, 0.78 + (y - 0.78) * share) for x, y in rim]
        brush.line(edge, traits.pattern, 0.05)
    for point in rim[1:-1:3]:
        brush.line([(0, 0.78), point], darker(ground, 0.3), 0.02)
        brush.line([(0.01, 0.78), (point[0] + 0.025, point[1])], lighter(ground, 0.45), 0.012)
    brush.line([*outline, outline[0]], darker(ground, 0.5), 0.016)


def _coil(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    ground = jittered(traits.ground, rng, 5)
    turns = np.linspace(0, 2 * math.pi, 90)
    outline: list[Point] = []
    for turn in turns:
        radius = 0.3 * math.exp(0.19 * turn)
        outline.append((radius * math.cos(turn) - 0.05, radius * math.sin(turn) + 0.05))
    outline.append((0.12, 0.06))

    def surface(inner: Brush) -> None:
        inner.polygon(outline, ground)
        for turn in np.linspace(0.6, 5.2, 15):
            reach = 0.3 * math.exp(0.19 * turn)
            tip = (reach * math.cos(turn) - 0.05, reach * math.sin(turn) + 0.05)
            bend = (0.6 * reach * math.cos(turn + 0.3) - 0.05, 0.6 * reach * math.sin(turn + 0.3) + 0.05)
            inner.line(curve([tip, bend, (0, 0.05)], closed=False), traits.pattern, 0.075)
        inner.ellipse((0.62, -0.2), (0.3, 0.42), traits.opening, angle=-15)

    brush.inside(outline, surface)
    brush.line([*outline, outline[0]], darker(ground, 0.45), 0.016)
    brush.dot((-0.02, 0.06), 0.07, darker(traits.pattern, 0.3))


def _spire(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    ground = jittered(traits.ground, rng)
    edges = 0.9 - 1.75 * (1 - 0.72 ** np.linspace(0, traits.whorls, traits.whorls + 1)) / (1 - 0.72**traits.whorls)
    for low, high in itertools.pairwise(edges):
        middle, height = float(low + high) / 2, float(low - high)
        half = traits.width * (middle + 0.9) / 1.8
        shade = jittered(ground, rng, 4)
        brush.ellipse((0, middle), (half, height * 0.62), shade, angle=-8, outline=darker(shade, 0.45))
        brush.ellipse(
            (-half * 0.35, middle - height * 0.1), (half * 0.25, height * 0.35), lighter(shade, 0.3), angle=-8
        )
        for offset in (-0.2, 0.15):
            brush.line(
                [(-half * 0.95, middle + height * offset + 0.03), (half * 0.95, middle + height * offset - 0.04)],
                traits.pattern,
                0.022,
            )
    brush.ellipse(
        (traits.width * 0.42, 0.74), (traits.width * 0.34, 0.2), traits.opening, angle=-25, outline=darker(ground, 0.5)
    )


def _cone(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    ground = jittered(traits.ground, rng, 6)
    outline = curve(
        [(0.0, 0.92), (0.2, 0.5), (0.52, -0.42), (0.4, -0.58), (0, -0.86), (-0.4, -0.58), (-0.52, -0.42), (-0.2, 0.5)]
    )

    def surface(inner: Brush) -> None:
        inner.polygon(outline, ground)
        for row, y in enumerate(np.linspace(-0.75, 0.85, 12)):
            for x in np.arange(-0.6, 0.7, 0.19):
                left = float(x) + 0.09 * (row % 2) + float(rng.normal(0, 0.012))
                inner.polygon([(left, y + 0.06), (left + 0.075, y - 0.07), (left + 0.15, y + 0.06)], traits.pattern)
                inner.polygon(
                    [(left + 0.045, y + 0.045), (left + 0.075, y - 0.01), (left + 0.105, y + 0.045)],
                    lighter(ground, 0.3),
                )
        inner.ellipse((0.26, 0.1), (0.05, 0.55), traits.opening, angle=17)

    brush.inside(outline, surface)
    brush.line([*outline, outline[0]], darker(ground, 0.5), 0.016)


def _egg(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    ground = jittered(traits.ground, rng, 6)
    outline = arc((0, 0), (0.6, 0.86))

    def surface(inner: Brush) -> None:
        inner.polygon(outline, ground)
        inner.ellipse((-0.2, -0.2), (0.26, 0.46), lighter(ground, 0.3))
        for _ in range(60):
            turn, reach = rng.uniform(0, 2 * np.pi), math.sqrt(rng.uniform(0, 1))
            x, y = 0.56 * reach * math.cos(turn), 0.82 * reach * math.sin(turn)
            inner.dot((x, y), float(rng.uniform(0.035, 0.075)), traits.pattern)
        inner.line(curve([(0.06, -0.8), (-0.02, 0.0), (0.06, 0.8)], closed=False), traits.opening, 0.04)

    brush.inside(outline, surface)
    brush.line([*outline, outline[0]], darker(ground, 0.4), 0.02)
    brush.ellipse((-0.26, -0.34), (0.07, 0.2), (252, 250, 244), angle=10)


def _ear(brush: Brush, traits: ShellTraits, rng: np.random.Generator) -> None:
    ground = jittered(traits.ground, rng)
    outline = curve([(-0.78, 0.1), (-0.5, -0.4), (0.1, -0.56), (0.7, -0.3), (0.86, 0.14), (0.5, 0.5), (-0.2, 0.56)])

    def surface(inner: Brush) -> None:
        inner.polygon(outline, ground)
        inner.ellipse((0.1, 0.05), (0.62, 0.36), traits.pattern, angle=8)
        inner.ellipse((0.2, 0.05), (0.42, 0.24), traits.opening, angle=8)
        inner.ellipse((0.28, 0.08), (0.2, 0.12), lighter(traits.opening, 0.4), angle=8)
        inner.ellipse((-0.5, 0.1), (0.17, 0.15), darker(ground, 0.15))
        inner.ellipse((-0.52, 0.11), (0.08, 0.07), lighter(ground, 0.2))

    brush.inside(outline, surface)
    for share in np.linspace(0, 1, 7):
        brush.dot(
            (0.62 - 1.05 * float(share), -0.3 - 0.14 * math.sin(math.pi * float(share))), 0.03, darker(ground, 0.7)
        )
    brush.line([*outline, outline[0]], darker(ground, 0.5), 0.02)


_HABITATS = (Habitat.SAND, Habitat.STONE, Habitat.WATER)
PLAN = BodyPlan("shell", _paint, (Style.TRAY, Style.FIELD), _HABITATS, turn=40)


def _mollusc(class_: str, order: str, family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Mollusca", class_, order, family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[ShellTraits], ...] = (
    DemoSpecies(
        _mollusc("Bivalvia", "Pectinida", "Pectinidae", "Pecten", "maximus", "great scallop"),
        PLAN,
        ShellTraits(_fan, colour("#d8a48c"), colour("#b5695a")),
        ("fan-shaped ribbed shell", "pink scallop shell with ribs"),
        120,
    ),
    DemoSpecies(
        _mollusc("Cephalopoda", "Nautilida", "Nautilidae", "Nautilus", "pompilius", "chambered nautilus"),
        PLAN,
        ShellTraits(_coil, colour("#f4ead8"), colour("#a8431f"), opening=colour("#f7f1e6")),
        ("coiled shell with red-brown stripes", "white spiral shell with rusty flames"),
        180,
    ),
    DemoSpecies(
        _mollusc("Gastropoda", "Neogastropoda", "Conidae", "Conus", "textile", "cloth of gold cone"),
        PLAN,
        ShellTraits(_cone, colour("#c9872e"), colour("#5c2f14"), opening=colour("#f2e6d2")),
        ("cone shell with a net of brown triangles", "golden cone-shaped shell with tent pattern"),
        90,
    ),
    DemoSpecies(
        _mollusc("Gastropoda", "Littorinimorpha", "Cypraeidae", "Cypraea", "tigris", "tiger cowrie"),
        PLAN,
        ShellTraits(_egg, colour("#ece3d0"), colour("#4a2f22"), opening=colour("#c9905a")),
        ("egg-shaped glossy shell with dark spots", "spotted cowrie shell"),
        90,
    ),
    DemoSpecies(
        _mollusc(
            "Gastropoda", "Caenogastropoda incertae sedis", "Turritellidae", "Turritella", "terebra", "screw shell"
        ),
        PLAN,
        ShellTraits(_spire, colour("#9a6a3c"), colour("#7a4f28"), opening=colour("#5a3a22"), whorls=11, width=0.3),
        ("tall slender spiral shell", "long pointed brown screw-like shell"),
        120,
    ),
    DemoSpecies(
        _mollusc("Gastropoda", "Littorinimorpha", "Littorinidae", "Littorina", "littorea", "common periwinkle"),
        PLAN,
        ShellTraits(_spire, colour("#4d4a48"), colour("#37332f"), opening=colour("#d9cdbd"), whorls=4, width=0.8),
        ("round dark grey snail shell", "short grey periwinkle shell"),
        30,
    ),
    DemoSpecies(
        _mollusc("Gastropoda", "Lepetellida", "Haliotidae", "Haliotis", "tuberculata", "green ormer"),
        PLAN,
        ShellTraits(_ear, colour("#7d5a44"), colour("#6fb5a8"), opening=colour("#a9c4e0")),
        ("ear-shaped shell with a row of holes", "abalone shell with a mother-of-pearl inside"),
        90,
    ),
)
