"""Species that the painters can paint and that no training sees: for few-shot tests of the built-in model.

Two of every large body plan. Each is described by what it has otherwise than a species of the demo.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bioclip_search.demo.brush import colour
from bioclip_search.demo.plans.butterfly import Band, Eyespot
from bioclip_search.demo.plans.fish import Bar
from bioclip_search.demo.species import AnySpecies
from bioclip_search.demo.specimens import SPECIES

__all__ = ["UNSEEN_SPECIES"]

_BY_NAME: Mapping[str, AnySpecies] = {species.taxon.species or "": species for species in SPECIES}
_BLACK, _WHITE, _GREY = colour("#16130f"), colour("#f4f1e6"), colour("#8b8d90")


def _other(like: str, name: str, common: str, above: Mapping[str, str] | None = None, **traits: Any) -> AnySpecies:
    """A species painted as another one but for some traits; `above` are its higher taxa that differ."""
    known = _BY_NAME[like]
    taxon = replace(known.taxon, **(above or {}), genus=name.split()[0], species=name, common_name=common)
    return replace(known, taxon=taxon, traits=replace(known.traits, **traits), phrases=())


UNSEEN_SPECIES: tuple[AnySpecies, ...] = (
    _other(
        "Danaus plexippus",
        "Melanargia galathea",
        "marbled white",
        fore=colour("#f2eedc"),
        hind=colour("#eee8d4"),
        dots=None,
        bands=(Band("fore", ((0.1, -0.3), (0.5, -0.55), (0.8, -0.5)), _BLACK, 0.09),),
    ),
    _other(
        "Pieris rapae",
        "Polyommatus icarus",
        "common blue",
        {"family": "Lycaenidae"},
        fore=colour("#5a7fd8"),
        hind=colour("#6488dc"),
        margin=_WHITE,
        margin_width=0.05,
        apex=None,
        eyespots=(),
        bands=(),
    ),
    _other(
        "Aglais io",
        "Lasiommata megera",
        "wall brown",
        fore=colour("#d98a34"),
        hind=colour("#c97c2e"),
        margin=colour("#5a3a1e"),
        eyespots=(Eyespot("fore", (0.68, -0.52), 0.1, (_BLACK, _WHITE)),),
    ),
    _other(
        "Coccinella septempunctata",
        "Adalia bipunctata",
        "two-spot ladybird",
        spots=((0.48, 0.12, 0.16),),
    ),
    _other(
        "Cetonia aurata",
        "Oryctes nasicornis",
        "European rhinoceros beetle",
        elytra=colour("#5a2a16"),
        pronotum=colour("#4a2212"),
        head=colour("#3a1a0e"),
        legs=_BLACK,
        horn=0.3,
        spots=(),
        bands=(),
    ),
    _other(
        "Leptinotarsa decemlineata",
        "Chrysolina americana",
        "rosemary beetle",
        elytra=colour("#2f7a4a"),
        pronotum=colour("#2a6a44"),
        head=colour("#245a3c"),
        band_colour=colour("#7a3a8a"),
        cheeks=None,
    ),
    _other(
        "Bombus terrestris",
        "Bombus lapidarius",
        "red-tailed bumblebee",
        abdomen=(_BLACK, _BLACK, _BLACK, colour("#d84a1c"), colour("#d84a1c")),
        collar=None,
    ),
    _other(
        "Vespa crabro",
        "Megascolia maculata",
        "mammoth wasp",
        {"family": "Scoliidae"},
        head=colour("#e0b020"),
        thorax=_BLACK,
        abdomen=(_BLACK, colour("#e8c020"), _BLACK, colour("#e8c020"), _BLACK),
        fur=0.6,
    ),
    _other(
        "Libellula depressa",
        "Crocothemis erythraea",
        "scarlet dragonfly",
        thorax=colour("#c02018"),
        abdomen=colour("#d8281c"),
        eyes=colour("#a82018"),
        girth=0.11,
        patch=colour("#e0a03a"),
        patch_share=0.2,
        flanks=None,
    ),
    _other(
        "Calopteryx virgo",
        "Pyrrhosoma nymphula",
        "large red damselfly",
        {"family": "Coenagrionidae"},
        thorax=colour("#4a1a14"),
        abdomen=colour("#c82a1c"),
        eyes=colour("#8a1c14"),
        wings=colour("#d8dcda"),
        wing_width=0.1,
        clearness=0.5,
    ),
    _other(
        "Quercus robur",
        "Quercus rubra",
        "northern red oak",
        rounded=False,
        green=colour("#5a8a3a"),
        autumn=colour("#a8301c"),
        stalk=0.35,
    ),
    _other(
        "Aesculus hippocastanum",
        "Cannabis sativa",
        "hemp",
        {"order": "Rosales", "family": "Cannabaceae"},
        half=((0.0, 0.0), (0.07, 0.3), (0.08, 0.55), (0.04, 0.8), (0.0, 1.0)),
        green=colour("#3a6a34"),
        autumn=colour("#6a8a3a"),
    ),
    _other(
        "Pecten maximus",
        "Cerastoderma edule",
        "common cockle",
        {"order": "Cardiida", "family": "Cardiidae"},
        ground=colour("#efe4c4"),
        pattern=colour("#8a7a5a"),
    ),
    _other(
        "Cypraea tigris",
        "Naria erosa",
        "eroded cowrie",
        ground=colour("#8a7a3a"),
        pattern=colour("#efe8cc"),
        opening=colour("#e8dcc0"),
    ),
    _other(
        "Perca fluviatilis",
        "Symphysodon discus",
        "red discus",
        {"order": "Cichliformes", "family": "Cichlidae"},
        back=colour("#c0582c"),
        belly=colour("#d88a4a"),
        fins=colour("#a83a24"),
        depth=0.5,
        bars=tuple(Bar(x, 0.05, colour("#4a2a2a")) for x in (-0.45, 0.0, 0.35)),
        paired_fins=None,
        tail=colour("#b84a2c"),
    ),
    _other(
        "Esox lucius",
        "Oncorhynchus mykiss",
        "rainbow trout",
        {"order": "Salmoniformes", "family": "Salmonidae"},
        back=colour("#5a7a7a"),
        belly=colour("#e0b8b0"),
        fins=colour("#8a8a7a"),
        depth=0.22,
        snout=0.1,
        dorsal_span=(-0.1, 0.15),
        spot_colour=colour("#1c2424"),
    ),
    _other(
        "Erithacus rubecula",
        "Cyanistes caeruleus",
        "Eurasian blue tit",
        {"family": "Paridae"},
        back=colour("#7a9a6a"),
        belly=colour("#f0dc5a"),
        head=_WHITE,
        breast=None,
        mask=None,
        cap=colour("#3a78c8"),
        wing=colour("#3a70c0"),
        tail=colour("#3a70c0"),
    ),
    _other(
        "Pica pica",
        "Turdus merula",
        "common blackbird",
        {"family": "Turdidae"},
        back=_BLACK,
        belly=_BLACK,
        head=_BLACK,
        wing=_BLACK,
        tail=_BLACK,
        beak=colour("#f0a01c"),
        shoulder=None,
        wing_bar=None,
    ),
    _other(
        "Amanita muscaria",
        "Amanita pantherina",
        "panther cap",
        cap=colour("#6a4a2c"),
    ),
    _other(
        "Amanita phalloides",
        "Russula cyanoxantha",
        "charcoal burner",
        {"order": "Russulales", "family": "Russulaceae"},
        cap=colour("#7a7a9a"),
        stem=_WHITE,
        ring=False,
        cup=False,
        stem_width=0.17,
    ),
)
