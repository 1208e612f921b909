"""The taxa among which a photo is identified: the catalogue's, those of a list, a part of either."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.backbone import Backbone
from bioclip_search.darwin_core import NAME_TERMS, specimen_of
from bioclip_search.errors import RecordError, UnknownTaxon
from bioclip_search.identification.taxa import Mask, TaxonTable
from bioclip_search.names import parse_name
from bioclip_search.near import near_names
from bioclip_search.records.table import Record, opening_of, read_table
from bioclip_search.taxonomy import RANKS, Rank, Taxon
from bioclip_search.text import clean, printable

__all__ = ["listed", "part", "read_taxa"]

_FAMILY_ENDINGS = ("idae", "aceae")
_YEAR = re.compile(r"\b\d{4}\b")
_COLUMNS_SHOWN = 8


def read_taxa(file: Path, known: TaxonTable, backbone: Backbone | None = None) -> list[Taxon]:
    """The taxa of a list: a name a line, or a table with Darwin Core's rank columns or scientificName.

    A name without ranks has those that `known` taxa or the backbone give it; else one that ends like a
    family's is a family, any other a genus or species. Raises RecordError for a file without taxa, and for a table
    without such a column.
    """
    shown = printable(str(file))
    if file.suffix.lower() == ".npy":
        raise RecordError(
            f"{shown} holds text embeddings, not a list of taxa; give it as text embeddings (--text-embeddings)."
        )
    records = read_table(file, {}, joins=False)
    if not records.columns.intersection((*NAME_TERMS, "vernacularName")):
        # A list has no header: its first line is a name like the others.
        records_of_list: list[Record] = [{"scientificName": name} for name in _names_of_list(file, shown)]
        taxa = [_taxon(record, known, backbone) for record in records_of_list]
    else:
        taxa = [_taxon(record, known, backbone) for record in records]
    named = list(dict.fromkeys(taxon for taxon in taxa if taxon.rank is not None or taxon.common_name))
    if not named:
        raise RecordError(
            f"{shown} names no taxon; give one scientific name a line, or a table with scientificName or ranks."
        )
    return named


def listed(taxa: Sequence[Taxon], known: TaxonTable) -> TaxonTable:
    """Taxa of a list as candidates: distinct, and completed with what the known taxa tell of wider ranks."""
    both = TaxonTable.of([*taxa, *(known[row] for row in range(len(known)))]).completed()
    return both.take(np.arange(len(taxa))).distinct()[0]


def part(
    taxa: TaxonTable,
    within: Sequence[str],
    wanted: Sequence[Taxon] | None,
    unknown: Callable[[str], None],
    backbone: Backbone | None = None,
) -> npt.NDArray[np.int64]:
    """The rows of the taxa that belong to one of the names, and to one of the wanted taxa (None: to any).

    A name that none belongs to is told to `unknown`, and the others go on; a synonym or common name of
    the backbone stands for its taxon. Raises UnknownTaxon when nothing is left.
    """
    kept = np.ones(len(taxa), dtype=np.bool_)
    if within:
        kept &= _any([(name, _named(taxa, name, backbone)) for name in within], unknown, len(taxa))
    if wanted is not None:
        kept &= _any([(_shown(taxon), taxa.within(taxon)) for taxon in wanted], unknown, len(taxa))
    if not kept.any():
        raise UnknownTaxon(", ".join([*within, *map(_shown, wanted or ())][:3]), _near(within, taxa))
    return np.flatnonzero(kept)


def _any(masks: Iterable[tuple[str, Mask]], unknown: Callable[[str], None], count: int) -> Mask:
    found = np.zeros(count, dtype=np.bool_)
    for name, mask in masks:
        if not mask.any():
            unknown(name)
        found |= mask
    return found


def _shown(taxon: Taxon) -> str:
    return taxon.scientific_name or taxon.common_name or ""


def _named(taxa: TaxonTable, name: str, backbone: Backbone | None) -> Mask:
    found = taxa.named([clean(name) or ""])
    if found.any() or backbone is None:
        return found
    match = backbone.match(name)
    for meant in [match] if match else backbone.by_common_name(name):
        found |= taxa.within(meant.taxon)
    return found


def _near(names: Sequence[str], taxa: TaxonTable) -> list[str]:
    return [near for name in names for near in near_names(name, taxa.names)][:3]


def _taxon(record: Record, known: TaxonTable, backbone: Backbone | None) -> Taxon:
    taxon = specimen_of(record).taxon
    if taxon.rank is not None and any(record.get(rank.value) for rank in RANKS):
        return taxon
    name = record.get("scientificName")
    if name is None:
        return taxon
    if backbone is not None and (match := backbone.match(name)):
        return match.taxon
    return _placed(taxon, name, known)


def _placed(taxon: Taxon, name: str, known: TaxonTable) -> Taxon:
    """The taxon of a bare name: of a rank at which it is known, or that its ending tells."""
    wanted = taxon.species or parse_name(name).genus or name.split(" ", 1)[0]
    for rank in RANKS:
        found = known.at(rank, [wanted])
        if found.any():
            return known[int(np.flatnonzero(found)[0])].cut_at(rank)
    if taxon.species is None and wanted.lower().endswith(_FAMILY_ENDINGS):
        return Taxon.from_ranks({Rank.FAMILY.value: wanted})
    return taxon if taxon.rank is not None else Taxon(genus=wanted)


def _names_of_list(file: Path, shown: str) -> list[str]:
    """One name a line. Raises RecordError for a table; a name of a list may hold a comma too, before its year."""
    text = _text(file, shown)
    delimiter, begin = opening_of(text)
    lines = [line for line in text[begin:].splitlines() if line.strip()]
    is_table = bool(lines) and all(delimiter in line for line in lines)
    if is_table and (delimiter != "," or not _YEAR.search(lines[0])):
        there = ", ".join(printable(cell.strip(' "')) for cell in lines[0].split(delimiter)[:_COLUMNS_SHOWN])
        raise RecordError(
            f"{shown} is a table, but none of its columns ({there}) is scientificName, vernacularName or a rank; "
            "call one so, or give a list with one name a line."
        )
    return [name for line in lines if (name := clean(line.strip().strip('"')))]


def _text(file: Path, shown: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise RecordError(f"The list {shown} cannot be read ({error.strerror}); check its path.") from error
