"""How fast is the gallery of the terminal UI?

    python benchmarks/gallery.py --results 1000000 --size 120x40

Scrolls through results that are made as they are read, with painted thumbnails, in a terminal that is not there, and
prints one JSON object: the milliseconds from a key to the repainted screen (median and 95th percentile) for a row,
a page and a jump to the end; milliseconds a tile of 14 × 6 cells in quadrant blocks and in half blocks (two pixels a
cell, as rich-pixels draws them); the bytes of both; and the memory of the process.
"""

import asyncio
import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from PIL import Image
from rich.color import Color, ColorSystem
from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot
from textual.screen import Screen

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gallery_app import GalleryApp, painted

from bioclip_search.photo import open_photo
from tui.images import blocks, fitted

_TILE = (14, 6)
_GROUND = (18, 18, 18)


class _Watched(GalleryApp):
    """Tells when something was written to the terminal."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.is_painted = asyncio.Event()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        self.is_painted.set()


@click.command()
@click.option("--results", type=int, default=1_000_000, show_default=True)
@click.option("--size", default="120x40", show_default=True, help="Columns and lines of the terminal.")
@click.option("--presses", type=int, default=100, show_default=True, help="Of each key.")
def main(results: int, size: str, presses: int) -> None:
    width, height = map(int, size.split("x"))
    keys = asyncio.run(_scroll(_Watched(results), (width, height), presses))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"results": results, "size": size, "key_ms": keys, "tile": _tiles(), "rss_mb": round(megabytes)}))


async def _scroll(app: _Watched, size: tuple[int, int], presses: int) -> dict[str, dict[str, float]]:
    async with app.run_test(size=size) as pilot:
        await _settled(app, pilot)
        gc.freeze()  # as the program does when it has started: else every tenth key waits for the garbage collector
        moves = {
            "cursor": ("right", "left"),
            "row": ("down", "down"),
            "page": ("pagedown", "pagedown"),
            "ends": ("end", "home"),
        }
        measured = {}
        for name, keys in moves.items():
            times = []
            for number in range(presses):
                began = time.perf_counter()
                app.is_painted.clear()
                app.simulate_key(keys[number % 2])
                await app.is_painted.wait()
                times.append(1000 * (time.perf_counter() - began))
                await _settled(app, pilot)
            measured[name] = _summary(times)
        return measured


async def _settled(app: GalleryApp, pilot: Pilot[None]) -> None:
    for _ in range(4):
        await pilot.pause()
        await app.workers.wait_for_complete()


def _summary(times: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(times), 1), "p95": round(statistics.quantiles(times, n=20)[18], 1)}


def _tiles() -> dict[str, dict[str, float]]:
    thumbnails = [painted(number) for number in range(9)]
    images = [open_photo(thumbnail, needed=2 * _TILE[0]).image for thumbnail in thumbnails]
    decoding = _timed(lambda: [open_photo(thumbnail, needed=2 * _TILE[0]) for thumbnail in thumbnails])
    kinds: dict[str, Callable[[Image.Image], list[list[Segment]]]] = {
        "blocks": lambda image: blocks(image, *_TILE, _GROUND),
        "half_blocks": _half_blocks,
    }
    measured: dict[str, dict[str, float]] = {"decoding": {"ms": round(decoding / len(images), 2)}}
    for name, draw in kinds.items():
        took = _timed(lambda draw=draw: [draw(image) for image in images]) / len(images)
        size = statistics.mean(_bytes(draw(image)) for image in images)
        measured[name] = {"ms": round(took, 2), "bytes": round(size)}
    return measured


def _timed(function: Callable[[], object], times: int = 20) -> float:
    """The median of some runs, in ms of this process."""
    took = []
    for _ in range(times):
        began = time.process_time()
        function()
        took.append(1000 * (time.process_time() - began))
    return statistics.median(took)


def _half_blocks(image: Image.Image) -> list[list[Segment]]:
    """Two pixels a cell, a Segment each."""
    columns, rows = fitted(image.size, *_TILE)
    size = (max(columns // 2, 1), rows)
    canvas = Image.new("RGB", (_TILE[0], 2 * _TILE[1]), _GROUND)
    canvas.paste(image.resize(size), ((_TILE[0] - size[0]) // 2, (2 * _TILE[1] - rows) // 2))
    pixel: Any = canvas.load()
    return [
        [
            Segment("▀", Style(color=Color.from_rgb(*pixel[x, y]), bgcolor=Color.from_rgb(*pixel[x, y + 1])))
            for x in range(canvas.width)
        ]
        for y in range(0, canvas.height, 2)
    ]


def _bytes(rows: list[list[Segment]]) -> int:
    parts = (segment for row in rows for segment in row)
    return sum(
        len(segment.style.render(segment.text, color_system=ColorSystem.TRUECOLOR).encode())
        for segment in parts
        if segment.style
    )


if __name__ == "__main__":
    main()
