"""Write a collection of painted specimens to disk: photos in drawers, and their Darwin Core table."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bioclip_search.demo.species import AnySpecies, Style
from bioclip_search.demo.specimens import SPECIES, PaintedSpecimen, catalog_number, event_date, paint
from bioclip_search.taxonomy import RANKS

__all__ = ["RECORDS", "write_collection"]

RECORDS = "occurrence.csv"

_COLUMNS = (
    "occurrenceID",
    "basisOfRecord",
    "institutionCode",
    "collectionCode",
    "catalogNumber",
    "scientificName",
    *(rank.value for rank in RANKS[:-1]),
    "specificEpithet",
    "taxonRank",
    "vernacularName",
    "eventDate",
    "associatedMedia",
)


def write_collection(folder: Path, count: int, seed: int = 0, progress: Callable[[int], None] | None = None) -> Path:
    """Paint `count` specimens below `folder` and write their records; returns the path of the table.

    Every species occurs equally often, in an order that the seed decides. The same count and seed
    write the same files. `progress` is told the number of photos painted since the last call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{RECORDS}.part"  # renamed at the end: a table that is there is complete
    with unfinished.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        for specimen in _specimens(count, seed):
            path = _path(specimen)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            specimen.picture.save(folder / path, quality=88)
            writer.writerow(_record(specimen, path))
            if progress is not None:
                progress(1)
    return unfinished.replace(folder / RECORDS)


def _specimens(count: int, seed: int) -> Iterator[PaintedSpecimen]:
    rows: list[AnySpecies] = [SPECIES[place % len(SPECIES)] for place in range(count)]
    order = np.random.default_rng(seed).permutation(count)
    for number, place in enumerate(order):
        yield paint(rows[place], seed * 100_000 + number + 1)


def _path(specimen: PaintedSpecimen) -> str:
    view = "_dorsal" if specimen.style is Style.PINNED else ""
    return f"{specimen.species.taxon.order}/{catalog_number(specimen.seed)}{view}.jpg"


def _record(specimen: PaintedSpecimen, path: str) -> dict[str, str | None]:
    taxon = specimen.species.taxon
    number = catalog_number(specimen.seed)
    return {
        "occurrenceID": f"urn:catalog:DEMO:{specimen.species.plan.name}:{number}",
        "basisOfRecord": "HumanObservation" if specimen.style is Style.FIELD else "PreservedSpecimen",
        "institutionCode": "DEMO",
        "collectionCode": specimen.species.plan.name,
        "catalogNumber": number,
        "scientificName": taxon.species,
        **{rank.value: taxon.name_at(rank) for rank in RANKS[:-1]},
        "specificEpithet": taxon.specific_epithet,
        "taxonRank": "species",
        "vernacularName": taxon.common_name,
        "eventDate": event_date(specimen.seed),
        "associatedMedia": path,
    }
