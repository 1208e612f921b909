"""All species that the demo can paint, and the painting of one specimen."""

import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bioclip_search.demo.brush import Brush
from bioclip_search.demo.plans import bee, beetle, bird, butterfly, dragonfly, fish, leaf, mushroom, shell
from bioclip_search.demo.scene import Subject, photograph
from bioclip_search.demo.species import AnySpecies, Style

__all__ = ["SPECIES", "PaintedSpecimen", "catalog_number", "event_date", "paint"]

SPECIES: tuple[AnySpecies, ...] = (
    *butterfly.SPECIES,
    *beetle.SPECIES,
    *bee.SPECIES,
    *dragonfly.SPECIES,
    *leaf.SPECIES,
    *shell.SPECIES,
    *fish.SPECIES,
    *bird.SPECIES,
    *mushroom.SPECIES,
)


@dataclass(frozen=True, slots=True)
class PaintedSpecimen:
    """A painted photograph and what it shows; the picture is RGB."""

    picture: Image.Image
    species: AnySpecies
    style: Style
    seed: int


def catalog_number(seed: int) -> str:
    """The number on the specimen's label."""
    return f"DEMO-{seed:06d}"


def event_date(seed: int) -> str:
    """The day on the specimen's label, as Darwin Core writes it: 1890 to 2019."""
    rng = np.random.default_rng([seed, 7])
    return f"{rng.integers(1890, 2020)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"


def paint(species: AnySpecies, seed: int, style: Style | None = None, scale: float = 1.0) -> PaintedSpecimen:
    """Paint one specimen: the same species, seed, style and scale give the same pixels.

    `scale` shrinks the whole photograph; at 1 its longer side has about 500 pixels.
    """
    name = species.taxon.species or ""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    styles = species.plan.styles
    drawn = styles[int(rng.integers(len(styles)))]
    style = style or drawn
    individual = rng.integers(2**32)

    def draw(pixels: int) -> Image.Image:
        brush = Brush.on_blank(pixels)
        species.plan.paint(brush, species.traits, np.random.default_rng(individual))
        return brush.picture()

    subject = Subject(
        draw=draw,
        length_mm=species.length_mm,
        turn=species.plan.turn,
        habitats=species.plan.habitats,
        label=("DEMO COLLECTION", catalog_number(seed), event_date(seed)),
    )
    return PaintedSpecimen(photograph(subject, style, rng, scale), species, style, seed)
