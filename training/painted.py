"""A collection of painted specimens to train on: photos, and a table of their taxa and captions."""

import csv
import filecmp
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bioclip_search.demo.species import Style
from bioclip_search.demo.specimens import SPECIES, paint
from bioclip_search.taxonomy import RANKS
from training.captions import Captioner
from training.unseen_species import UNSEEN_SPECIES

__all__ = ["RECORDS", "Painted", "paint_collection"]

RECORDS = "records.csv"
_CAPTIONS = 12
_CHUNK = 32
_QUALITY = 92
_ALL = (*SPECIES, *UNSEEN_SPECIES)


@dataclass(frozen=True, slots=True)
class Painted:
    """What is painted: so many specimens of every species of the demo, and of every unseen one.

    Specimen number i has the seed `first_seed` + i and one of the `scales` in turn.
    """

    each: int
    each_unseen: int
    first_seed: int
    scales: tuple[float, ...] = (0.4, 0.5, 0.3, 1.0)

    def specimens(self) -> Iterator[tuple[int, int, Style, float]]:
        """Number in the species' list, seed, style and scale of every specimen."""
        seed = self.first_seed
        rounds: list[Sequence[int]] = [range(len(SPECIES))] * self.each
        rounds += [range(len(SPECIES), len(_ALL))] * self.each_unseen
        for turn, numbers in enumerate(rounds):
            for number in numbers:
                styles = _ALL[number].plan.styles
                style = styles[int(np.random.default_rng((seed, 1)).integers(len(styles)))]
                yield number, seed, style, self.scales[turn % len(self.scales)]
                seed += 1


def paint_collection(
    folder: Path, painted: Painted, captioner: Captioner, *, workers: int, progress: Callable[[int], None]
) -> Path:
    """Paint what is not painted yet and write the table; returns its path. The same values write the same files.

    `captioner` draws the captions of the demo's species; unseen ones have none. `progress` is told the number
    of photos since the last call.
    """
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")  # forking after torch has threads can hang
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for count in pool.map(partial(_paint, folder), painted.specimens(), chunksize=_CHUNK):
            progress(count)
    unfinished = folder / f"{RECORDS}.part"
    with unfinished.open("w", encoding="utf-8", newline="") as stream:
        columns = ("associatedMedia", "occurrenceID", *(rank.value for rank in RANKS), "vernacularName", "captions")
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(_record(captioner, *specimen[:3]) for specimen in painted.specimens())
    table = folder / RECORDS
    if table.exists() and filecmp.cmp(unfinished, table, shallow=False):
        unfinished.unlink()  # shards know the table by its time
        return table
    return unfinished.replace(table)


def _paint(folder: Path, specimen: tuple[int, int, Style, float]) -> int:
    number, seed, style, scale = specimen
    path = folder / _name(seed)
    if not path.exists():
        part = path.with_suffix(".part")
        paint(_ALL[number], seed, style, scale).picture.save(part, "JPEG", quality=_QUALITY)
        part.replace(path)
    return 1


def _name(seed: int) -> str:
    return f"photos/{seed}.jpg"


def _record(captioner: Captioner, number: int, seed: int, style: Style) -> dict[str, str | None]:
    taxon = _ALL[number].taxon
    rng = np.random.default_rng((seed, 2))
    captions = [captioner.draw(number, style, rng) for _ in range(_CAPTIONS)] if number < len(SPECIES) else []
    return {
        "associatedMedia": _name(seed),
        "occurrenceID": f"urn:painted:{seed}",
        **{rank.value: taxon.name_at(rank) for rank in RANKS},
        "vernacularName": taxon.common_name,
        "captions": "|".join(captions),
    }
