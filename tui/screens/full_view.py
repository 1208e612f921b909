"""One photo on the whole screen; n and p go on, + and - bring it nearer."""

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from bioclip_search.query import Hit
from bioclip_search.text import printable
from tui.bindings import PHOTO_KEYS, key
from tui.described import full_name
from tui.images import Mode
from tui.lanes import Lane
from tui.messages import PictureWanted
from tui.named import key_of
from tui.widgets.captions import shortened_path
from tui.widgets.hit_view import TileState
from tui.widgets.key_line import KeyLine
from tui.widgets.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

    from tui.widgets.results_pane import ResultsPane

__all__ = ["FullView"]

_PIXELS = 3_200
_NEAREST = 16.0
_PAN = 0.25
_LEAST_NAME, _LEAST_NUMBER = 8, 24
"""Cells that the title keeps for them."""


class FullView(Screen[None]):
    """Shows the photos of the results pane one by one; its cursor comes along, unless other results came meanwhile.

    `lane` is where its pictures are read: what the specimen pane asks does not take their place.
    """

    TITLE = "Full view"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("n,space", "go(1)", "Next", "The next photo", "full-next", show=True),
        key("p", "go(-1)", "Previous", "The photo before", "full-previous", show=True),
        key(
            "right,l",
            "aside(1)",
            "Right",
            "The next photo; in a larger view further right",
            "full-right",
        ),
        key("left,h", "aside(-1)", "Left", "The photo before; in a larger view further left", "full-left"),
        key("plus,equals_sign,z", "zoom(2)", "Nearer", "Show a part of it larger", "full-nearer", show=True),
        key("minus,Z", "zoom(0.5)", "Farther", "Show more of it", "full-farther", show=True),
        key("0", "zoom(0)", "Whole", "Show all of it", "full-whole"),
        key("shift+left", "pan(-1,0)", "Pan left", "Look further left", "full-pan-left"),
        key("shift+right", "pan(1,0)", "Pan right", "Look further right", "full-pan-right"),
        key("up,k,shift+up", "pan(0,-1)", "Pan up", "Look further up", "full-pan-up"),
        key("down,j,shift+down", "pan(0,1)", "Pan down", "Look further down", "full-pan-down"),
        *PHOTO_KEYS,
        key("escape,enter,backspace", "leave", "Back", "Back to the results", "full-leave", show=True),
    ]

    def __init__(self, pane: "ResultsPane", mode: Mode) -> None:
        super().__init__()
        self._pane = pane
        self._mode = mode
        self._results = pane.results
        self._index = pane.view.cursor
        self._hit: Hit | None = None
        self.lane = Lane(latest=True)
        self._image: Image.Image | None = None
        self._note = ""
        self._zoom = 1.0
        self._middle = (0.5, 0.5)

    def compose(self) -> ComposeResult:
        yield Static(id="full-title")
        yield Static(id="full-note")
        yield Picture(self._mode)
        yield KeyLine()

    def on_mount(self) -> None:
        self._want()

    def on_resize(self) -> None:
        self.entitle()

    @property
    def hit(self) -> Hit | None:
        """The photo that is shown, on which keys act."""
        return self._hit

    @property
    def zoom(self) -> float:
        return self._zoom

    def put(self, index: int, hit: Hit | None, image: "Image.Image | None", state: str) -> None:
        """The picture of a photo, small or sharp; nothing if another one is shown by now, or none."""
        if index != self._index or self not in self.app.screen_stack:
            return
        is_sentence = bool(state) and state not in (known.value for known in TileState)
        self._hit, self._image, self._note = hit, image, state if is_sentence else ""
        if image is None:
            self.query_one(Picture).show(None, TileState.NOT_FOUND.value if is_sentence else state)
        self._look()

    def entitle(self) -> None:
        """Write the first line anew."""
        results, hit = self._results, self._hit
        if hit is None or results is None:
            return
        score = f"score {hit.score:.2f}" if hit.score is not None else ""
        place = f"{self._index + 1:,} of {results.count:,}"
        zoom = f"{self._zoom:g}× (arrows move)" if self._zoom > 1 else ""
        marked = "✓ marked" if key_of(hit) in self.app.marks else ""  # type: ignore[attr-defined]
        facts = " · ".join(filter(None, (score, place, zoom, marked)))
        self.query_one("#full-title", Static).update(_title(hit, facts, self.size.width))
        note = self.query_one("#full-note", Static)
        note.display = bool(self._note)
        note.update(Content(printable(self._note)))

    def draw_anew(self) -> None:
        """Pictures are drawn another way from now on; one that has been read stays, as near as it was brought."""
        if self._image is None:
            self._want()

    def _want(self) -> None:
        if self._results is None:
            return
        self._image, self._hit, self._note = None, self._results.at(self._index), ""
        self._zoom, self._middle = 1.0, (0.5, 0.5)
        self.query_one(Picture).show(None, TileState.LOADING.value)
        self.entitle()
        self.post_message(PictureWanted(self, self._results, self._index, _PIXELS))

    def action_go(self, by: int) -> None:
        results = self._results
        if results is not None and 0 <= self._index + by < results.count:
            self._index += by
            if self._pane.results is results:
                self._pane.go_to(self._index)
            self._want()

    def action_aside(self, by: int) -> None:
        if self._zoom > 1:
            self.action_pan(by, 0)
        else:
            self.action_go(by)

    def action_zoom(self, by: float) -> None:
        """Nearer by a factor; 0 shows the whole picture."""
        self._zoom = min(max(self._zoom * by, 1.0), _NEAREST)
        self._look()

    def action_pan(self, x: int, y: int) -> None:
        step = _PAN / self._zoom
        self._middle = (self._middle[0] + x * step, self._middle[1] + y * step)
        self._look()

    def _look(self) -> None:
        """Show the part of the picture that is looked at."""
        half = 0.5 / self._zoom
        x, y = self._middle = tuple(min(max(at, half), 1 - half) for at in self._middle)  # type: ignore[assignment]
        if self._image is not None:
            self.query_one(Picture).show(self._image, part=(x - half, y - half, x + half, y + half))
        self.entitle()

    def action_leave(self) -> None:
        self.app.pop_screen()


def _title(hit: Hit, facts: str, width: int) -> Content:
    """The name, the number or the path, and the facts; what is too long gives way to those, and the name first."""
    room = max(0, width - cell_len(facts) - 8)
    number = printable(hit.specimen.catalog_number or hit.photo.path)
    number = shortened_path(number, max(_LEAST_NUMBER, room - full_name(hit).cell_length))
    name = full_name(hit).truncate(max(_LEAST_NAME, room - cell_len(number)), ellipsis=True)
    return Content.assemble(" ", name, (f"   {number} · {facts}", "$quiet")).truncate(width, ellipsis=True)
