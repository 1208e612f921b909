"""Captions for painted specimens: the five text types of BioCLIP, wider taxa, styles, and plain descriptions."""

from collections.abc import Callable, Sequence

import numpy as np

from bioclip_search.demo.species import AnySpecies, Style
from bioclip_search.taxonomy import RANKS, Rank, TextType

__all__ = ["Captioner", "Template"]

Template = Callable[[str], str]
"""A sentence with a place for a name, as open_clip keeps them."""

_STYLE_WORDS = {
    Style.PINNED: ("pinned {}", "pinned {}, dorsal view", "{}, pinned specimen", "pinned insect, {}"),
    Style.SHEET: ("{} on a herbarium sheet", "herbarium sheet, {}", "herbarium specimen of {}"),
    Style.TRAY: ("{} in a specimen tray", "museum specimen of {}", "{}, collection drawer"),
    Style.FIELD: ("field photo of {}", "{} in nature", "{} outdoors"),
}
_PLAN_KINDS = {
    "butterfly": ("insect",),
    "moth": ("insect",),
    "beetle": ("insect",),
    "bee": ("insect",),
    "wasp": ("insect",),
    "dragonfly": ("insect",),
    "damselfly": ("insect", "dragonfly"),
    "leaf": ("plant", "tree"),
    "mushroom": ("fungus", "toadstool"),
    "shell": ("sea shell",),
}


class Captioner:
    """Draws captions for photos of a fixed list of species.

    `templates` are the sentences that a name may be put into, such as open_clip's 80.
    """

    def __init__(self, species: Sequence[AnySpecies], templates: Sequence[Template]) -> None:
        self._species = species
        self._templates = templates

    @staticmethod
    def _kinds(species: AnySpecies) -> tuple[str, ...]:
        return (species.plan.name, *_PLAN_KINDS.get(species.plan.name, ()))

    def draw(self, number: int, style: Style, rng: np.random.Generator) -> str:
        """One caption that is true of a photo of species `number` in a style."""
        kind = rng.choice(4, p=(0.35, 0.34, 0.14, 0.17))
        if kind == 0:
            text = self._named(number, rng)
        elif kind == 1:
            phrases = self._species[number].phrases
            text = phrases[rng.integers(len(phrases))]
        elif kind == 2:
            text = self._wider(number, rng)
        else:
            text = self._styled(number, style, rng)
        return self._worded(text, rng)

    def _named(self, number: int, rng: np.random.Generator) -> str:
        kinds = list(TextType)
        return self._species[number].taxon.text(kinds[rng.integers(len(kinds))]) or ""

    def _wider(self, number: int, rng: np.random.Generator) -> str:
        """A name above the species, alone or with all that stands above it, or a word for the kind."""
        species = self._species[number]
        kinds = self._kinds(species)
        if rng.random() < 0.4:
            return kinds[rng.integers(len(kinds))]
        rank = RANKS[rng.integers(RANKS.index(Rank.SPECIES))]
        name = species.taxon.name_at(rank) or species.plan.name
        full = species.taxon.cut_at(rank).taxonomic_name or name
        return full if rng.random() < 0.5 else name

    def _styled(self, number: int, style: Style, rng: np.random.Generator) -> str:
        species = self._species[number]
        words = _STYLE_WORDS[style]
        pattern = words[rng.integers(len(words))]
        names = (species.plan.name, species.taxon.common_name, species.phrases[rng.integers(len(species.phrases))])
        return pattern.format(names[rng.integers(3)])

    def _worded(self, text: str, rng: np.random.Generator) -> str:
        """The bare text, BioCLIP's “a photo of X.”, or one of the templates."""
        form = rng.choice(3, p=(0.35, 0.35, 0.3))
        if form == 0:
            return text
        if form == 1:
            return f"a photo of {text}."
        return self._templates[int(rng.integers(len(self._templates)))](text)
