"""Render the main screens of the terminal UI to pictures, so that anyone can look at them.

    python benchmarks/screens.py CATALOGUE FOLDER [--size 120x40] [--only gallery,help] [--light]

Writes one SVG a screen, and a PNG beside it where cairosvg is installed (pip install cairosvg; DejaVu Sans Mono).
NO_COLOR=1 shows what is left without colours.
"""

import argparse
import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tui.app import BrowseApp
from tui.browsed import BrowsedCatalogue
from tui.config import Config

_PATIENCE = 60
_SCREENS = {
    "gallery": (),
    "taxa": ("t", "down", "right", "WAIT", "down", "enter", "WAIT"),
    "search": ("slash", *"orange butterfly", "enter", "WAIT"),
    "similar": ("right", "s", "WAIT"),
    "list": ("v",),
    "full-view": ("enter", "WAIT"),
    "suggestions": ("u", "WAIT", "i", "WAIT"),
    "help": ("question_mark",),
    "palette": ("ctrl+p", "WAIT"),
    "image-prompt": ("I", "WAIT"),
}
"""Every screen with the keys that lead to it from the first one; WAIT until all that was asked for is there."""


async def render(catalogue: Path, folder: Path, name: str, size: tuple[int, int], theme: str) -> Path:
    """Write one screen; returns the path of its SVG."""
    app = BrowseApp(lambda: BrowsedCatalogue.open(catalogue), folder=catalogue, config=Config(theme=theme))
    async with app.run_test(size=size) as pilot:
        await _until(pilot, lambda: app.main.hit is not None)
        await _settle(app, pilot)
        for key in _SCREENS[name]:
            await (_settle(app, pilot) if key == "WAIT" else pilot.press("space" if key == " " else key))
        await _settle(app, pilot)
        file = folder / f"{name}-{size[0]}x{size[1]}.svg"
        file.write_text(app.export_screenshot(), encoding="utf-8")
    return file


async def _settle(app: BrowseApp, pilot: Pilot[None]) -> None:
    """Until nothing is searched for, the pictures on the screen are drawn, and the last pause is over."""
    view = app.main.pane.view
    await pilot.pause(0.4)
    await _until(pilot, lambda: app.main.asked is None)
    await _until(pilot, lambda: not any(view._is_missing(index) for index in view.on_screen))
    await pilot.pause(0.6)


async def _until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    for _ in range(int(_PATIENCE / 0.02)):
        if condition():
            return
        await pilot.pause(0.02)
    raise SystemExit("The screen did not come to rest.")


def as_png(file: Path) -> None:
    """The same as a PNG, in a font that has all block characters; nothing where cairosvg is missing."""
    try:
        import cairosvg
    except ImportError:
        return
    svg = re.sub(r"@font-face\s*{[^}]*}", "", file.read_text(encoding="utf-8"))
    svg = svg.replace('"Fira Code"', "DejaVu Sans Mono").replace("Fira Code", "DejaVu Sans Mono")
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(file.with_suffix(".png")), output_width=1600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--only", default=",".join(_SCREENS))
    parser.add_argument("--light", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    width, height = map(int, asked.size.split("x"))
    for name in asked.only.split(","):
        theme = "light" if asked.light else "dark"
        file = asyncio.run(render(asked.catalogue, asked.folder, name, (width, height), theme))
        as_png(file)
        print(file)


if __name__ == "__main__":
    main()
