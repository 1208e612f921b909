"""Birds from the side, looking to the right."""

from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.brush import Brush, Colour, Point, colour, curve, darker, jittered, lighter
from bioclip_search.demo.species import BodyPlan, DemoSpecies, Habitat, Style
from bioclip_search.taxonomy import Taxon

__all__ = ["PLAN", "SPECIES", "BirdTraits"]


@dataclass(frozen=True)
class BirdTraits:
    """Colours of the parts; lengths in units of half the picture. `neck` above 0 lifts the head on a long neck."""

    back: Colour
    belly: Colour
    head: Colour
    beak: Colour
    legs: Colour
    breast: Colour | None = None
    cheek: Colour | None = None
    cap: Colour | None = None
    wing: Colour | None = None
    wing_bar: Colour | None = None
    shoulder: Colour | None = None
    tail: Colour | None = None
    mask: Colour | None = None
    bib_line: Colour | None = None
    beak_length: float = 0.14
    beak_depth: float = 0.07
    beak_drop: float = 0.0
    beak_bands: tuple[Colour, ...] = ()
    tail_length: float = 0.45
    leg_length: float = 0.22
    neck: float = 0.0
    crest: float = 0.0
    girth: float = 1.0


def _paint(brush: Brush, traits: BirdTraits, rng: np.random.Generator) -> None:
    low = 0.02 if traits.neck else 0.05
    back, belly = jittered(traits.back, rng, 7), jittered(traits.belly, rng, 7)
    stretch = float(rng.normal(1, 0.04))
    _paint_legs(brush, traits, low)
    _paint_tail(brush, traits, low, back)
    body = curve(
        [
            (-0.55, low),
            (-0.3, low - 0.28 * traits.girth),
            (0.12, low - 0.34 * traits.girth),
            (0.4, low - 0.2),
            (0.42, low + 0.1),
            (0.2, low + 0.36 * traits.girth * stretch),
            (-0.2, low + 0.3 * traits.girth),
        ]
    )
    brush.inside(body, lambda inner: _paint_plumage(inner, traits, low, back, belly))
    brush.line([*body, body[0]], darker(back, 0.35), 0.012)
    head = (0.5, low - 0.42) if not traits.neck else (0.5, low - 0.2 - traits.neck)
    if traits.neck:
        neck = curve(
            [(0.25, low + 0.05), (0.5, low - 0.1), (0.28, low - traits.neck * 0.6), (head[0] - 0.04, head[1])],
            closed=False,
        )
        brush.line(neck, belly, 0.13)
    else:
        brush.polygon(
            curve([(0.05, low - 0.3), (0.4, low - 0.62), (0.66, low - 0.35), (0.44, low + 0.02)]), traits.head
        )
    _paint_head(brush, traits, head)
    _paint_wing(brush, traits, low, back)


def _paint_plumage(brush: Brush, traits: BirdTraits, low: float, back: Colour, belly: Colour) -> None:
    brush.polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)], belly)
    brush.polygon(curve([(-0.8, low + 0.12), (-0.1, low + 0.02), (0.35, low - 0.3), (0.3, -1), (-0.9, -1)]), back)
    if traits.breast:
        brush.ellipse((0.34, low - 0.04), (0.3, 0.32), traits.breast, angle=20)
    if traits.bib_line:
        brush.line(
            curve([(0.44, low - 0.25), (0.32, low + 0.1), (0.05, low + 0.4)], closed=False), traits.bib_line, 0.1
        )


def _paint_head(brush: Brush, traits: BirdTraits, centre: Point) -> None:
    x, y = centre
    size = 0.2 if not traits.neck else 0.12
    _paint_beak(brush, traits, (x + size * 0.8, y + 0.02))
    if traits.crest:
        tuft: list[Point] = [
            (x - size * 0.9, y),
            (x - size * 0.8, y - size - traits.crest),
            (x + size * 0.6, y - size * 0.75),
        ]
        brush.polygon(curve(tuft), traits.cap or traits.head)
    brush.dot(centre, size, traits.head)
    if traits.cap:
        brush.ellipse((x - 0.01, y - size * 0.5), (size * 0.92, size * 0.56), traits.cap)
    if traits.cheek:
        brush.ellipse((x + 0.01, y + size * 0.25), (size * 0.62, size * 0.45), traits.cheek)
    if traits.mask:
        brush.ellipse((x + size * 0.6, y + size * 0.15), (size * 0.5, size * 0.6), traits.mask)
    brush.dot((x + size * 0.3, y - size * 0.1), 0.034, (240, 235, 225))
    brush.dot((x + size * 0.3, y - size * 0.1), 0.027, (12, 10, 10))


def _paint_beak(brush: Brush, traits: BirdTraits, root: Point) -> None:
    x, y = root
    depth, reach = traits.beak_depth, traits.beak_length
    outline = [
        (x, y - depth),
        (x + reach * 0.6, y - depth * 0.6),
        (x + reach, y + traits.beak_drop),
        (x + reach * 0.5, y + depth * 0.6),
        (x, y + depth),
    ]
    brush.polygon(outline, traits.beak, outline=darker(traits.beak, 0.4), width=0.01)
    if traits.beak_bands:
        width = reach / (len(traits.beak_bands) + 1)

        def bands(inner: Brush) -> None:
            for place, band in enumerate(traits.beak_bands):
                left = x + place * width
                inner.polygon([(left, -1), (left + width * 0.9, -1), (left + width * 0.9, 1), (left, 1)], band)

        brush.inside(outline, bands)


def _paint_wing(brush: Brush, traits: BirdTraits, low: float, back: Colour) -> None:
    wing = traits.wing or darker(back, 0.15)
    outline = curve([(0.22, low - 0.2), (0.1, low + 0.08), (-0.3, low + 0.16), (-0.68, low + 0.08), (-0.3, low - 0.16)])

    def feathers(inner: Brush) -> None:
        inner.polygon(outline, wing)
        inner.ellipse((0.02, low - 0.1), (0.26, 0.12), traits.shoulder or lighter(wing, 0.12), angle=18)
        for place in range(4):
            y = low - 0.02 + place * 0.05
            inner.line([(0.05 - place * 0.05, y), (-0.66, low + 0.05 + place * 0.02)], darker(wing, 0.25), 0.012)
        if traits.wing_bar:
            inner.line([(0.12, low - 0.02), (-0.14, low + 0.14)], traits.wing_bar, 0.07)

    brush.inside(outline, feathers)
    brush.line([*outline, outline[0]], darker(wing, 0.3), 0.01)


def _paint_tail(brush: Brush, traits: BirdTraits, low: float, back: Colour) -> None:
    tail = traits.tail or traits.wing or back
    end = -0.5 - traits.tail_length
    outline = [
        (-0.4, low - 0.08),
        (end, low + 0.06 + traits.tail_length * 0.25),
        (end + 0.04, low + 0.2 + traits.tail_length * 0.2),
        (-0.38, low + 0.12),
    ]
    brush.polygon(outline, tail, outline=darker(tail, 0.35), width=0.012)


def _paint_legs(brush: Brush, traits: BirdTraits, low: float) -> None:
    bottom = low + 0.3 + traits.leg_length
    for x in (-0.02, 0.14):
        brush.line(
            [(x, low + 0.2), (x + 0.02, low + 0.28 + traits.leg_length * 0.5), (x - 0.02, bottom)], traits.legs, 0.032
        )
        brush.line([(x - 0.08, bottom), (x + 0.11, bottom)], traits.legs, 0.03)


_HABITATS = (Habitat.FOLIAGE, Habitat.SKY, Habitat.WATER, Habitat.STONE)
PLAN = BodyPlan("bird", _paint, (Style.FIELD, Style.TRAY), _HABITATS)

_BLACK, _WHITE, _GREY = colour("#17171c"), colour("#f6f4ee"), colour("#7d8288")


def _bird(order: str, family: str, genus: str, epithet: str, common: str) -> Taxon:
    return Taxon("Animalia", "Chordata", "Aves", order, family, genus, f"{genus} {epithet}", common)


SPECIES: tuple[DemoSpecies[BirdTraits], ...] = (
    DemoSpecies(
        _bird("Passeriformes", "Muscicapidae", "Erithacus", "rubecula", "European robin"),
        PLAN,
        BirdTraits(
            colour("#7a6a4c"),
            colour("#ebe4d4"),
            colour("#7d6d50"),
            _BLACK,
            colour("#6b4a34"),
            breast=colour("#e06a1e"),
            mask=colour("#e06a1e"),
            tail_length=0.32,
            beak_length=0.12,
            beak_depth=0.04,
        ),
        ("small brown bird with an orange-red breast", "robin with a red breast"),
        140,
    ),
    DemoSpecies(
        _bird("Passeriformes", "Paridae", "Parus", "major", "great tit"),
        PLAN,
        BirdTraits(
            colour("#7f9a4a"),
            colour("#f2dc3a"),
            _BLACK,
            _BLACK,
            _GREY,
            cheek=_WHITE,
            wing=colour("#5f7d99"),
            wing_bar=_WHITE,
            bib_line=_BLACK,
            tail_length=0.36,
            beak_length=0.1,
            beak_depth=0.045,
        ),
        ("yellow bird with a black head and white cheeks", "small yellow and black bird"),
        140,
    ),
    DemoSpecies(
        _bird("Coraciiformes", "Alcedinidae", "Alcedo", "atthis", "common kingfisher"),
        PLAN,
        BirdTraits(
            colour("#1f9ad0"),
            colour("#e0802c"),
            colour("#1a7fb5"),
            _BLACK,
            colour("#d9422a"),
            cheek=colour("#e8953a"),
            wing=colour("#17829c"),
            tail_length=0.16,
            beak_length=0.36,
            beak_depth=0.055,
            leg_length=0.06,
        ),
        ("blue and orange bird with a long beak", "brilliant blue bird with an orange belly"),
        165,
    ),
    DemoSpecies(
        _bird("Phoenicopteriformes", "Phoenicopteridae", "Phoenicopterus", "roseus", "greater flamingo"),
        PLAN,
        BirdTraits(
            colour("#f2b3bd"),
            colour("#f5c4cc"),
            colour("#f5c4cc"),
            colour("#ee8aa0"),
            colour("#e87f92"),
            wing=colour("#e86a80"),
            beak_length=0.2,
            beak_depth=0.07,
            beak_drop=0.14,
            tail_length=0.12,
            leg_length=0.66,
            neck=0.5,
        ),
        ("pink bird with long legs and neck", "tall pink wading bird"),
        1300,
    ),
    DemoSpecies(
        _bird("Passeriformes", "Cardinalidae", "Cardinalis", "cardinalis", "northern cardinal"),
        PLAN,
        BirdTraits(
            colour("#cc2222"),
            colour("#dc3028"),
            colour("#d8281f"),
            colour("#e8702a"),
            colour("#7a4a3a"),
            mask=_BLACK,
            crest=0.2,
            tail_length=0.5,
            beak_depth=0.09,
        ),
        ("all red bird with a crest and black face", "bright red crested bird"),
        220,
    ),
    DemoSpecies(
        _bird("Passeriformes", "Corvidae", "Pica", "pica", "Eurasian magpie"),
        PLAN,
        BirdTraits(
            _BLACK,
            _WHITE,
            _BLACK,
            _BLACK,
            _BLACK,
            breast=_BLACK,
            wing=colour("#1f3f6a"),
            shoulder=_WHITE,
            tail=colour("#1c4a44"),
            tail_length=0.55,
            beak_length=0.2,
        ),
        ("black and white bird with a long tail", "magpie with a long dark tail"),
        450,
    ),
    DemoSpecies(
        _bird("Charadriiformes", "Alcidae", "Fratercula", "arctica", "Atlantic puffin"),
        PLAN,
        BirdTraits(
            _BLACK,
            _WHITE,
            _BLACK,
            colour("#e8521c"),
            colour("#f0701c"),
            cheek=colour("#e9e6e0"),
            wing=colour("#1c1c20"),
            tail_length=0.1,
            beak_length=0.24,
            beak_depth=0.17,
            beak_bands=(colour("#4a5a78"), colour("#f2c84a"), colour("#e8521c")),
            leg_length=0.14,
            girth=1.2,
        ),
        ("black and white seabird with a colourful beak", "puffin with a thick orange striped beak"),
        290,
    ),
    DemoSpecies(
        _bird("Passeriformes", "Corvidae", "Cyanocitta", "cristata", "blue jay"),
        PLAN,
        BirdTraits(
            colour("#5a84cc"),
            colour("#e4e4e6"),
            colour("#e4e6ea"),
            _BLACK,
            _BLACK,
            cap=colour("#4a76c4"),
            wing=colour("#3a6cc8"),
            wing_bar=_WHITE,
            tail=colour("#3a6cc8"),
            crest=0.18,
            tail_length=0.5,
            beak_length=0.17,
        ),
        ("blue crested bird with a white belly", "blue and white bird with a crest"),
        270,
    ),
    DemoSpecies(
        _bird("Passeriformes", "Oriolidae", "Oriolus", "oriolus", "Eurasian golden oriole"),
        PLAN,
        BirdTraits(
            colour("#f5c81c"),
            colour("#f7d02c"),
            colour("#f5c81c"),
            colour("#c9503a"),
            _GREY,
            wing=_BLACK,
            tail=_BLACK,
            tail_length=0.42,
            beak_length=0.17,
            beak_depth=0.05,
        ),
        ("golden yellow bird with black wings", "yellow and black bird with a reddish beak"),
        240,
    ),
)
