"""Fishes from the left side, head to the left."""

from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, colour, curve, darker, jittered, lighter
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "FishTraits"]


@dataclass(frozen=True)
class Bar:
    """An upright band at `x` from back to belly, as wide as `width`, edged where `edge` is given."""

    x: float
    width: float
    colour: Colour
    edge: Colour | None = None
    lean: float = 0.0


@dataclass(frozen=True)
class FishTraits:
    """`depth` is half the height of the body; the fins' heights are measured from it."""

    back: Colour
    belly: Colour
    fins: Colour
    depth: float
    snout: float = 0.1
    dorsal: float = 0.2
    dorsal_span: tuple[float, float] = (-0.3, 0.45)
    streamer: float = 0.0
    fork: float = 0.25
    tail: Colour | None = None
    bars: tuple[Bar, ...] = ()
    spots: int = 0
    spot_colour: Colour = (230, 220, 150)
    scales: bool = False
    paired_fins: Colour | None = None
    blotch: tuple[Point, ...] = ()
    blotch_colour: Colour = (15, 15, 25)


def _paint(brush: Brush, traits: FishTraits, rng: np.random.Generator) -> None:
    back, belly = jittered(traits.back, rng, 8), jittered(traits.belly, rng, 8)
    _paint_fins(brush, traits, rng)
    outline = _outline(traits)
    brush.inside(outline, lambda inner: _paint_flank(inner, traits, back, belly, rng))
    brush.line([*outline, outline[0]], darker(back, 0.45), 0.014)
    paddle = traits.paired_fins or traits.fins
    brush.polygon(
        curve([(-0.3, 0.06), (-0.06, 0.02), (-0.02, 0.22), (-0.2, 0.2)]),
        paddle,
        outline=darker(paddle, 0.4),
        width=0.01,
    )
    eye = (-0.62 - traits.snout * 0.4, -traits.depth * 0.22)
    brush.dot(eye, 0.06, (245, 240, 225))
    brush.dot(eye, 0.038, (15, 15, 18))
    brush.line(
        curve([(-0.47, -traits.depth * 0.55), (-0.4, 0), (-0.47, traits.depth * 0.5)], closed=False),
        darker(back, 0.3),
        0.014,
    )


def _outline(traits: FishTraits) -> list[Point]:
    depth, nose = traits.depth, -0.78 - traits.snout
    return curve(
        [
            (nose, 0.03),
            (-0.6, -depth * 0.62),
            (-0.2, -depth),
            (0.3, -depth * 0.72),
            (0.62, -depth * 0.22),
            (0.66, depth * 0.2),
            (0.3, depth * 0.7),
            (-0.2, depth * 0.95),
            (-0.6, depth * 0.6),
        ]
    )


def _paint_flank(brush: Brush, traits: FishTraits, back: Colour, belly: Colour, rng: np.random.Generator) -> None:
    brush.polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)], belly)
    brush.polygon(curve([(-1.1, 0), (-0.3, traits.depth * 0.25), (0.8, 0), (0.8, -1), (-1.1, -1)]), back)
    brush.ellipse((-0.1, -traits.depth * 0.45), (0.5, traits.depth * 0.2), lighter(back, 0.15))
    if traits.scales:
        for row, y in enumerate(np.linspace(-traits.depth, traits.depth, 9)):
            for x in np.arange(-0.4 + 0.05 * (row % 2), 0.6, 0.1):
                brush.line([(x, y - 0.04), (x + 0.045, y), (x, y + 0.04)], darker(back, 0.25), 0.012)
    if traits.blotch:
        brush.polygon(curve(traits.blotch), traits.blotch_colour)
    for bar in traits.bars:
        middle = bar.x + float(rng.normal(0, 0.012))
        path = curve([(middle - bar.lean, -0.9), (middle + bar.width * 0.2, 0), (middle + bar.lean, 0.9)], closed=False)
        if bar.edge:
            brush.line(path, bar.edge, bar.width + 0.05)
        brush.line(path, bar.colour, bar.width)
    for _ in range(traits.spots):
        x, y = rng.uniform(-0.45, 0.6), rng.uniform(-0.7, 0.75) * traits.depth
        brush.ellipse((float(x), float(y)), (0.035, 0.02), traits.spot_colour)


def _paint_fins(brush: Brush, traits: FishTraits, rng: np.random.Generator) -> None:
    depth, fins, tail = traits.depth, traits.fins, traits.tail or traits.fins
    start, end = traits.dorsal_span
    ray = darker(fins, 0.3)
    raised = traits.dorsal * float(rng.uniform(0.85, 1.1))
    dorsal = curve(
        [
            (start, -depth * 0.85),
            (start + 0.1, -depth - raised),
            (end - 0.1, -depth * 0.75 - raised * 0.6),
            (end, -depth * 0.35),
        ]
    )
    brush.polygon(dorsal, fins, outline=ray, width=0.01)
    if traits.streamer:
        brush.line(
            curve(
                [(-0.1, -depth), (0.2, -depth - traits.streamer), (0.75, -depth - traits.streamer * 0.7)], closed=False
            ),
            fins,
            0.05,
        )
    anal = curve([(0.08, depth * 0.78), (0.22, depth + traits.dorsal * 0.75), (0.48, depth * 0.35)])
    brush.polygon(anal, fins, outline=ray, width=0.01)
    brush.polygon(
        curve([(-0.25, depth * 0.9), (-0.12, depth + 0.2), (0.0, depth * 0.85)]),
        traits.paired_fins or fins,
        outline=ray,
        width=0.01,
    )
    height = 0.2 + depth * 0.5
    brush.polygon(
        [(0.58, 0), (0.95, -height), (0.95 - traits.fork * 0.8, 0), (0.95, height)],
        tail,
        outline=darker(tail, 0.3),
        width=0.01,
    )


_HABITATS = (Habitat.WATER,)
PLAN = BodyPlan("fish", _paint, (Style.TRAY, Style.FIELD), _HABITATS)

_BLACK, _WHITE = colour("#14141a"), colour("#f6f4ee")


def _ray_finned(order: str, family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Chordata", "Actinopterygii", order, family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[FishTraits], ...] = (
    DemoSpecies(
        _ray_finned("Blenniiformes", "Pomacentridae", "Amphiprion", "ocellaris", "ocellaris clownfish"),
        PLAN,
        FishTraits(
            colour("#f0761a"),
            colour("#f58a2c"),
            colour("#f0761a"),
            0.36,
            bars=(Bar(-0.45, 0.16, _WHITE, _BLACK), Bar(0.02, 0.17, _WHITE, _BLACK), Bar(0.52, 0.1, _WHITE, _BLACK)),
            fork=0.05,
        ),
        ("orange fish with white bands", "orange clownfish with three white stripes"),
        90,
    ),
    DemoSpecies(
        _ray_finned("Esociformes", "Esocidae", "Esox", "lucius", "northern pike"),
        PLAN,
        FishTraits(
            colour("#5a6e34"),
            colour("#c9c48a"),
            colour("#a0703a"),
            0.17,
            snout=0.2,
            dorsal=0.14,
            dorsal_span=(0.3, 0.58),
            spots=34,
        ),
        ("long green fish with pale spots", "slender pike with a long snout"),
        700,
    ),
    DemoSpecies(
        _ray_finned("Perciformes", "Percidae", "Perca", "fluviatilis", "European perch"),
        PLAN,
        FishTraits(
            colour("#7d8a3c"),
            colour("#d9d09a"),
            colour("#8a8a4c"),
            0.33,
            dorsal=0.26,
            bars=tuple(Bar(x, 0.07, colour("#2f3a1c")) for x in (-0.3, -0.12, 0.06, 0.24, 0.42)),
            paired_fins=colour("#e0421c"),
            tail=colour("#d9582c"),
        ),
        ("green fish with dark bars and red fins", "perch with red-orange fins"),
        250,
    ),
    DemoSpecies(
        _ray_finned("Acanthuriformes", "Acanthuridae", "Paracanthurus", "hepatus", "palette surgeonfish"),
        PLAN,
        FishTraits(
            colour("#1f58e0"),
            colour("#2a68ea"),
            colour("#173fa8"),
            0.4,
            dorsal=0.12,
            dorsal_span=(-0.4, 0.5),
            tail=colour("#f7d21c"),
            paired_fins=colour("#f2c81c"),
            blotch=((-0.45, -0.2), (0.1, -0.36), (0.6, -0.14), (0.62, 0.08), (0.3, 0.02), (0.1, 0.2), (-0.1, -0.02)),
        ),
        ("blue fish with a yellow tail", "royal blue fish with black palette mark"),
        250,
    ),
    DemoSpecies(
        _ray_finned("Acanthuriformes", "Zanclidae", "Zanclus", "cornutus", "Moorish idol"),
        PLAN,
        FishTraits(
            _WHITE,
            colour("#f3e9a8"),
            _WHITE,
            0.56,
            snout=0.16,
            dorsal=0.16,
            streamer=0.34,
            tail=_BLACK,
            bars=(Bar(-0.5, 0.2, _BLACK, lean=0.06), Bar(0.1, 0.18, colour("#f2cf2c")), Bar(0.36, 0.24, _BLACK)),
        ),
        (
            "white, yellow and black fish with a long streamer",
            "tall disc-shaped fish with black bands and a trailing fin",
        ),
        180,
    ),
    DemoSpecies(
        _ray_finned("Cypriniformes", "Cyprinidae", "Cyprinus", "carpio", "common carp"),
        PLAN,
        FishTraits(
            colour("#9a7a3a"),
            colour("#d9b66a"),
            colour("#8a5f30"),
            0.36,
            dorsal=0.18,
            dorsal_span=(-0.25, 0.5),
            scales=True,
            fork=0.3,
        ),
        ("golden brown fish with large scales", "bronze carp"),
        450,
    ),
)
