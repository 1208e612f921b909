"""One photo on the whole screen; n and p go on, + and - bring it nearer."""

from typing import TYPE_CHECKING, ClassVar

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
from tui.widgets.hit_view import key_of
from tui.widgets.key_line import KeyLine
from tui.widgets.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

    from tui.widgets.results_pane import ResultsPane

__all__ = ["FullView"]

_PIXELS = 3_200
_NEAREST = 16.0
_PAN = 0.25


class FullView(Screen[None]):
    """Shows the photos of the results pane one by one; its cursor comes along, unless other results came meanwhile.

    `lane` is where its pictures are read: what the specimen pane asks does not take their place.
    """

    TITLE = "Full view"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("n,right,space,l", "go(1)", "Next", "The next photo", "full-next", show=True),
        key("p,left,h", "go(-1)", "Previous", "The photo before", "full-previous", show=True),
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
        yield Picture(self._mode)
        yield KeyLine()

    def on_mount(self) -> None:
        self._want()

    @property
    def hit(self) -> Hit | None:
        """The photo that is shown, on which keys act."""
        return self._hit

    @property
    def zoom(self) -> float:
        return self._zoom

    def put(self, index: int, hit: Hit | None, image: "Image.Image | None", state: str) -> None:
        """The picture of a photo; nothing if another one is shown by now, or none."""
        if index != self._index or self not in self.app.screen_stack:
            return
        self._hit = hit
        self._image, self._note = image, "" if image is None else state
        self._zoom, self._middle = 1.0, (0.5, 0.5)
        self.query_one(Picture).show(image, state)
        self.entitle()

    def entitle(self) -> None:
        """Write the first line anew."""
        results, hit = self._results, self._hit
        if hit is None or results is None:
            return
        number = printable(hit.specimen.catalog_number or hit.photo.path)
        score = f"score {hit.score:.2f} · " if hit.score is not None else ""
        zoom = f" · {self._zoom:g}×" if self._zoom > 1 else ""
        marked = " · ✓ marked" if key_of(hit) in self.app.marks else ""  # type: ignore[attr-defined]
        note = f" · {printable(self._note)}" if self._note else ""
        place = f"   {number} · {score}{self._index + 1:,} of {results.count:,}{zoom}{marked}{note}"
        self.query_one("#full-title", Static).update(Content.assemble(" ", full_name(hit), (place, "$quiet")))

    def _want(self) -> None:
        if self._results is None:
            return
        self._image, self._hit = None, self._results.at(self._index)
        self.query_one(Picture).show(None, "loading…")
        self.entitle()
        self.post_message(PictureWanted(self, self._results, self._index, _PIXELS))

    def action_go(self, by: int) -> None:
        results = self._results
        if results is not None and 0 <= self._index + by < results.count:
            self._index += by
            if self._pane.results is results:
                self._pane.go_to(self._index)
            self._want()

    def action_zoom(self, by: float) -> None:
        """Nearer by a factor; 0 shows the whole picture."""
        self._zoom = min(max(self._zoom * by, 1.0), _NEAREST)
        self._crop()

    def action_pan(self, x: int, y: int) -> None:
        step = _PAN / self._zoom
        self._middle = (self._middle[0] + x * step, self._middle[1] + y * step)
        self._crop()

    def _crop(self) -> None:
        """Show the part of the picture that is looked at."""
        if self._image is None:
            return
        half = 0.5 / self._zoom
        self._middle = tuple(min(max(at, half), 1 - half) for at in self._middle)  # type: ignore[assignment]
        width, height = self._image.size
        x, y = self._middle
        box = ((x - half) * width, (y - half) * height, (x + half) * width, (y + half) * height)
        part = self._image if self._zoom == 1 else self._image.crop(tuple(round(at) for at in box))  # type: ignore[arg-type]
        self.query_one(Picture).show(part)
        self.entitle()

    def action_leave(self) -> None:
        self.app.pop_screen()
