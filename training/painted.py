"""A set of painted specimens in memory, painted by several processes."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bioclip_search.demo.species import Style
from bioclip_search.demo.specimens import SPECIES, paint
from bioclip_search.preprocessing import Preprocessing

__all__ = ["PaintedSet", "paint_set"]

_CHUNK = 32


@dataclass(frozen=True, slots=True)
class PaintedSet:
    """`pixels` uint8 [n, size, size, 3]; `species` int64 [n], numbers in SPECIES; `styles`, one a photo."""

    pixels: npt.NDArray[np.uint8]
    species: npt.NDArray[np.int64]
    styles: tuple[Style, ...]


def paint_set(
    count: int,
    first_seed: int,
    size: int,
    *,
    scales: tuple[float, ...] = (1.0,),
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
) -> PaintedSet:
    """Paint `count` specimens, every species equally often, squashed to `size` x `size`.

    Specimen number i has the seed `first_seed` + i and one of the scales in turn.
    """
    pixels = np.empty((count, size, size, 3), dtype=np.uint8)
    styles: list[Style] = []
    work = partial(_painted, first_seed=first_seed, size=size, scales=scales)
    context = multiprocessing.get_context("spawn")  # forking after torch has threads can hang
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for number, (picture, style) in enumerate(pool.map(work, range(count), chunksize=_CHUNK)):
            pixels[number] = picture
            styles.append(style)
            if progress is not None:
                progress(1)
    return PaintedSet(pixels, np.arange(count) % len(SPECIES), tuple(styles))


def _painted(number: int, first_seed: int, size: int, scales: tuple[float, ...]) -> tuple[npt.NDArray[np.uint8], Style]:
    # The scale changes only when all species have had it.
    scale = scales[number // len(SPECIES) % len(scales)]
    specimen = paint(SPECIES[number % len(SPECIES)], first_seed + number, scale=scale)
    return Preprocessing(size=size).apply(specimen.picture), specimen.style
