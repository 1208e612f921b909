"""What the demo knows of a species: its place in the tree of life, its looks, its body plan."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import numpy as np

from bioclip_search.demo.brush import Brush
from bioclip_search.taxonomy import Taxon

__all__ = ["AnySpecies", "BodyPlan", "DemoSpecies", "Habitat", "Style", "Traits"]

Traits = TypeVar("Traits")


class Style(StrEnum):
    """How a specimen was photographed."""

    PINNED = "pinned"
    SHEET = "herbarium sheet"
    TRAY = "specimen tray"
    FIELD = "field photo"


class Habitat(StrEnum):
    """What is out of focus behind a field photo."""

    FOLIAGE = "foliage"
    SOIL = "soil"
    STONE = "stone"
    SKY = "sky"
    WATER = "water"
    SAND = "sand"


@dataclass(frozen=True)
class BodyPlan(Generic[Traits]):
    """One shape with parameters: `paint(brush, traits, rng)` draws it in the box from -1 to 1.

    `turn` is how far from upright it may lie in a field photo, in degrees.
    """

    name: str
    paint: Callable[[Brush, Traits, np.random.Generator], None]
    styles: tuple[Style, ...]
    habitats: tuple[Habitat, ...]
    turn: float = 12.0


@dataclass(frozen=True)
class DemoSpecies(Generic[Traits]):
    """A real species that the demo can paint.

    `phrases` are short plain descriptions of what is seen, “orange butterfly with black veins”;
    `length_mm` is the usual length or wingspan, for the scale bar.
    """

    taxon: Taxon
    plan: BodyPlan[Traits]
    traits: Traits
    phrases: tuple[str, ...]
    length_mm: float


AnySpecies = DemoSpecies[Any]
