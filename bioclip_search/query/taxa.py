"""Names in a query: the columns of the catalogue in which they stand."""

from collections.abc import Mapping

from bioclip_search.backbone import MatchType
from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UnknownTaxon
from bioclip_search.filters import Names
from bioclip_search.names import NameKind, parse_name
from bioclip_search.near import near_names
from bioclip_search.placement import open_backbone
from bioclip_search.schema import TAXON_COLUMNS
from bioclip_search.text import clean

__all__ = ["names_meant", "resolve_taxon"]


def resolve_taxon(catalogue: Catalogue, name: str, *, include_missing: bool = False) -> Names:
    """Find a name at any rank, or as a common name, in any case; several where it is spelt in several ways.

    What the catalogue does not name so may be a synonym or a common name in the taxonomy in use.

    Raises UnknownTaxon with near names when no photo carries it.
    """
    present = catalogue.names(include_missing=include_missing)
    found = names_meant(catalogue, name, present)
    if not found:
        raise UnknownTaxon(name, near_names(name, {spelt for names in present.values() for spelt in names}))
    return found


def names_meant(catalogue: Catalogue, name: str, present: Mapping[str, set[str]]) -> Names:
    """As `resolve_taxon`, among the names that are `present` by column; nothing for a name that no photo carries."""
    for asked in dict.fromkeys((name, _without_author(name))):
        wanted = (clean(asked) or "").casefold()
        found = _spelt(present, {(column, wanted) for column in TAXON_COLUMNS})
        if found := found or _through_backbone(catalogue, asked, present):
            return found
    return ()


def _without_author(name: str) -> str:
    """“Danaus plexippus (Linnaeus, 1758)” -> “Danaus plexippus”; whatever is no such name stays."""
    parsed = parse_name(name)
    return parsed.canonical if parsed.kind is NameKind.SCIENTIFIC and parsed.authorship and parsed.canonical else name


def _through_backbone(catalogue: Catalogue, name: str, present: Mapping[str, set[str]]) -> Names:
    """The columns of the accepted taxa that a synonym or a common name stands for in the taxonomy in use."""
    backbone = open_backbone(catalogue.folder)
    if backbone is None:
        return ()
    with backbone:
        match = backbone.match(name)
        meant = [match] if match and match.match_type is MatchType.SYNONYM else backbone.by_common_name(name)
    taxa = [found.taxon for found in meant]
    return _spelt(
        present,
        {(t.rank.value, t.scientific_name.casefold()) for t in taxa if t.rank and t.scientific_name},
    )


def _spelt(present: Mapping[str, set[str]], wanted: set[tuple[str, str]]) -> Names:
    """The names as the catalogue spells them, in the order of the columns."""
    return tuple(
        (column, name)
        for column in TAXON_COLUMNS
        for name in sorted(present[column])
        if (column, name.casefold()) in wanted
    )
