"""The main states as they were when last looked at: pictures that anyone can open, kept beside the tests.

After a change that is meant, `BIOCLIP_SEARCH_SNAPSHOTS=write python -m pytest tests/test_tui_snapshots.py` draws them
anew. No photos are drawn in them, as decoders differ, and no scores, as processors do.
"""

import difflib
import html
import os
import re
from pathlib import Path

import pytest
from browsing import browsing, in_loop, settled, until
from textual.pilot import Pilot

from tui.app import BrowseApp
from tui.images import Mode
from tui.widgets.specimen import SpecimenPane

_KEPT = Path(__file__).parent / "snapshots"
_STATES = {
    "listing": ((120, 40), ""),
    "listing-80x24": ((80, 24), ""),
    "list": ((120, 30), "v down m down"),
    "taxon": ((120, 30), "t down right … down enter …"),
    "find-taxon": ((120, 30), "t f p i e …"),
    "no-detail": ((120, 30), "d m right m"),
    "suggestions": ((120, 30), "u …"),
    "help": ((120, 40), "question_mark"),
    "another-model": ((120, 30), "!"),
    "too-small": ((50, 12), ""),
}
"""The keys that lead to each from the first screen; … until all is there, ! a problem of the model."""
_PROBLEM = "The catalogue was built with the model bioclip-2, not with builtin. Use that model, or another --catalogue."


@pytest.mark.parametrize("name", _STATES)
def test_a_state_looks_as_it_did(name: str, drawer: Path, tmp_path: Path) -> None:
    """Every letter, sign and colour is where it was when the picture was accepted."""
    size, keys = _STATES[name]
    seen: list[str] = []

    @in_loop
    async def look() -> None:
        async with browsing(drawer, size, images=Mode.NONE) as (app, pilot):
            for key in ["…", *keys.split(), "…"]:
                if key == "…":
                    await _settle(app, pilot)
                elif key == "!":
                    app._told_problem(_PROBLEM)
                else:
                    await pilot.press(key)
            seen.append(_svg(app))

    look()
    kept, drawn = _KEPT / f"{name}.svg", tmp_path / f"{name}.svg"
    drawn.write_text(seen[0], encoding="utf-8")
    if os.environ.get("BIOCLIP_SEARCH_SNAPSHOTS") == "write":
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(seen[0], encoding="utf-8")
    former = kept.read_text(encoding="utf-8")
    difference = "\n".join(difflib.unified_diff(_lines(former), _lines(seen[0]), "kept", "drawn", lineterm="", n=0))
    assert seen[0] == former, f"{drawn} differs from {kept}:\n{difference or 'in colours alone'}"


async def _settle(app: BrowseApp, pilot: Pilot[None]) -> None:
    """Until nothing is asked any more, the specimen under the cursor is told of, and the screen stays as it is."""
    lanes = (app.specimen, app.counts, app.found, app.changes, app.taxa, app.others, app.model, app.exports)
    former = None
    while (shown := app.export_screenshot()) != former:
        former = shown
        await until(pilot, lambda: app.main.asked is None and _is_told(app) and app.tiles.is_free)
        for lane in lanes:
            await settled(pilot, lane)


def _is_told(app: BrowseApp) -> bool:
    """Whether all hits on the screen have been read, and the specimen pane shows the one under the cursor."""
    view, pane = app.main.pane.view, app.main.query_one(SpecimenPane)
    if any(view._is_missing(index) for index in view.on_screen):
        return False
    place = f"{view.cursor + 1:,} of {view.count:,}"
    return not pane.display or (pane._hit == app.main.hit and place in pane.text)


def _svg(app: BrowseApp) -> str:
    """The screen, without what differs from day to day, the addresses of fonts, and what makes it large."""
    svg = re.sub(r"@font-face\s*{[^}]*}", "", app.export_screenshot())
    svg = re.sub(r"(?s)<clipPath id=\S+-line-.*?</clipPath>", "", svg)
    svg = re.sub(r' (clip-path="url\(\S+-line-\d+\)"|shape-rendering="crispEdges")', "", svg)
    svg = re.sub(r"(?<=\d\.\d)\d+(?=\")", "", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    assert app.main.hit is not None
    svg = svg.replace(f"{app.main.hit.photo.indexed_at:%Y-%m-%d}", "2000-01-01")
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def _lines(svg: str) -> list[str]:
    """What is written on the screen, line by line."""
    return [html.unescape(words).replace("\xa0", " ") for words in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]
