"""A program of a gallery alone, over painted specimens: run by tests in this process, and in tmux as a script."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from bioclip_search.demo.specimens import SPECIES, catalog_number, paint
from bioclip_search.photo import thumbnail
from bioclip_search.query import Hit
from bioclip_search.specimen import Photo, Specimen
from tui.named import key_of
from tui.widgets.gallery import Gallery, TileState
from tui.widgets.hit_view import HitView
from tui.widgets.result_list import ResultList

MOMENT = datetime(2020, 1, 1, tzinfo=UTC)
_PAINTED = 9


@cache
def painted(number: int) -> bytes:
    """The thumbnail of one of a few specimens."""
    return thumbnail(paint(SPECIES[number * 7 % len(SPECIES)], number, scale=0.5).picture)


def some_hit(index: int, **changes: object) -> Hit:
    """The hit at a place of the results, as it would come from a catalogue."""
    taxon = SPECIES[index % _PAINTED * 7 % len(SPECIES)].taxon
    values = {"path": f"drawer/{index:07d}.jpg", "specimen": Specimen(taxon, {"catalogNumber": catalog_number(index)})}
    photo = Photo("/archive", size=1, mtime=MOMENT, content_hash="", width=1, height=1, indexed_at=MOMENT,
                  **{**values, **changes})  # fmt: skip # type: ignore[arg-type]
    return Hit(photo, round(0.5 - index * 1e-7, 4))


class Painted:
    """Any number of results, of which only those that were read can be had."""

    def __init__(self, count: int, special: Mapping[int, Hit] | None = None) -> None:
        self.count = count
        self.special = dict(special or {})
        self._read: set[int] = set()

    has_scores = True

    def at(self, index: int) -> Hit | None:
        return self.hit(index) if index in self._read else None

    def read(self, start: int, end: int) -> None:
        self._read.update(range(start, end))

    def hit(self, index: int) -> Hit:
        return self.special.get(index) or some_hit(index)


class GalleryApp(App[None]):
    """A gallery and a list with the same results, of which one is shown; `states` replace thumbnails by index."""

    CSS = "ResultList { display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit", id="quit")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, count: int, special: Mapping[int, Hit] | None = None) -> None:
        super().__init__()
        self.results = Painted(count, special)
        self.states: dict[int, bytes | TileState] = {}
        self.answers = True
        self.wanted: list[range] = []
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Gallery()
        yield ResultList()

    def on_mount(self) -> None:
        self.query_one(Gallery).focus()
        self.query_one(Gallery).show(self.results)

    def on_hit_view_wanted(self, message: HitView.Wanted) -> None:
        self.wanted.append(range(message.start, message.end))
        if self.answers:
            self.answer(self.wanted[-1], message.view)

    def answer(self, wanted: range, view: HitView) -> None:
        """Read what is wanted, and give the thumbnails."""
        self.results.read(wanted.start, wanted.stop)
        view.put({key_of(self.results.hit(index)): self.thumbnail(index) for index in wanted})

    def thumbnail(self, index: int) -> bytes | TileState:
        return self.states.get(index) or painted(index % _PAINTED)

    def on_hit_view_highlighted(self, message: HitView.Highlighted) -> None:
        self.told.append(message)

    def on_hit_view_selected(self, message: HitView.Selected) -> None:
        self.told.append(message)


if __name__ == "__main__":
    GalleryApp(int(sys.argv[1])).run()
