"""Captions for photos of known taxa: the five text types of BioCLIP, and plain descriptions.

A caption knows of which species and which style of photo it is true, so that the loss does not
call it wrong for another photo that it describes just as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bioclip_search.demo.species import AnySpecies, Style
from bioclip_search.taxonomy import RANKS, Rank, TextType

__all__ = ["Caption", "Captioner", "Template"]

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


@dataclass(frozen=True, slots=True)
class Caption:
    """A text, the species (by number) that it is true of, and the style of photo it asks for, if any."""

    text: str
    species: frozenset[int]
    style: Style | None = None


class Captioner:
    """Draws captions for photos of a fixed list of species.

    `templates` are the sentences that a name may be put into, such as open_clip's 80.
    """

    def __init__(self, species: Sequence[AnySpecies], templates: Sequence[Template]) -> None:
        self._species = species
        self._templates = templates
        self._members: dict[str, set[int]] = {}
        for number, one in enumerate(species):
            names = [name for _, name in one.taxon.lineage]
            for word in (*names, *self._kinds(one)):
                self._members.setdefault(word, set()).add(number)

    @staticmethod
    def _kinds(species: AnySpecies) -> tuple[str, ...]:
        return (species.plan.name, *_PLAN_KINDS.get(species.plan.name, ()))

    def draw(self, number: int, style: Style, rng: np.random.Generator) -> Caption:
        """One caption that is true of a photo of species `number` in a style."""
        kind = rng.choice(4, p=(0.45, 0.27, 0.13, 0.15))
        if kind == 0:
            caption = self._named(number, rng)
        elif kind == 1:
            phrases = self._species[number].phrases
            caption = Caption(phrases[rng.integers(len(phrases))], frozenset({number}))
        elif kind == 2:
            caption = self._wider(number, rng)
        else:
            caption = self._styled(number, style, rng)
        return Caption(self._worded(caption.text, rng), caption.species, caption.style)

    def _named(self, number: int, rng: np.random.Generator) -> Caption:
        kinds = list(TextType)
        text = self._species[number].taxon.text(kinds[rng.integers(len(kinds))])
        return Caption(text or "", frozenset({number}))

    def _wider(self, number: int, rng: np.random.Generator) -> Caption:
        """A name above the species, alone or with all that stands above it, or a word for the kind."""
        species = self._species[number]
        kinds = self._kinds(species)
        if rng.random() < 0.4:
            word = kinds[rng.integers(len(kinds))]
            return Caption(word, frozenset(self._members[word]))
        rank = RANKS[rng.integers(RANKS.index(Rank.SPECIES))]
        name = species.taxon.name_at(rank) or species.plan.name
        full = species.taxon.cut_at(rank).taxonomic_name or name
        return Caption(full if rng.random() < 0.5 else name, frozenset(self._members[name]))

    def _styled(self, number: int, style: Style, rng: np.random.Generator) -> Caption:
        species = self._species[number]
        words = _STYLE_WORDS[style]
        pattern = words[rng.integers(len(words))]
        choice = rng.integers(3)
        if choice == 0:
            members = self._members[species.plan.name]
            return Caption(pattern.format(species.plan.name), frozenset(members), style)
        names = (species.taxon.common_name, species.phrases[rng.integers(len(species.phrases))])
        return Caption(pattern.format(names[choice - 1]), frozenset({number}), style)

    def _worded(self, text: str, rng: np.random.Generator) -> str:
        """The bare text, BioCLIP's “a photo of X.”, or one of the templates."""
        form = rng.choice(3, p=(0.35, 0.35, 0.3))
        if form == 0:
            return text
        if form == 1:
            return f"a photo of {text}."
        return self._templates[int(rng.integers(len(self._templates)))](text)
