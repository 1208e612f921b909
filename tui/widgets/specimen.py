"""The right pane: one specimen, its picture and all that is known of it."""

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bioclip_search.query import Hit
from bioclip_search.specimen import Photo
from bioclip_search.text import printable
from tui.bindings import key
from tui.described import fields, full_name, matches, other_fields, ranks
from tui.named import file_name
from tui.widgets.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["SpecimenPane"]

_TITLE_WIDTH = 11


class _Facts(VerticalScroll, inherit_bindings=False):
    """What is known, longer than the pane at times."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("up,k", "scroll_up", "Up", "One line up", "facts-up"),
        key("down,j", "scroll_down", "Down", "One line down", "facts-down"),
        key("pageup,ctrl+u", "page_up", "Page up", "One page up", "facts-page-up"),
        key("pagedown,ctrl+d", "page_down", "Page down", "One page down", "facts-page-down"),
        key("home,g", "scroll_home", "First", "The first line", "facts-first"),
        key("end,G", "scroll_end", "Last", "The last line", "facts-last"),
    ]


class SpecimenPane(Vertical):
    """The specimen under the cursor."""

    def compose(self) -> ComposeResult:
        yield Picture(self.app.images)  # type: ignore[attr-defined]
        with _Facts():
            yield Static(id="facts")

    def on_mount(self) -> None:
        self.border_title = "Specimen (d)"
        self._hit: Hit | None = None
        self._place = ""
        self._is_marked = False
        self._siblings: Sequence[Photo] = ()

    @property
    def picture(self) -> Picture:
        return self.query_one(Picture)

    @property
    def text(self) -> str:
        """What is told, as one reads it."""
        content = self.query_one("#facts", Static).content
        return content.plain if isinstance(content, Content) else str(content)

    def show(self, hit: Hit | None, place: str, *, is_marked: bool = False) -> None:
        """Tell of a hit; `place` is where it stands among the others. Its picture comes later."""
        if hit is None or self._hit is None or hit.photo != self._hit.photo:
            self._siblings = ()
            self.picture.show(None, "loading…" if hit is not None else "")
        self._hit, self._place = hit, place
        self._write(is_marked=is_marked)

    def complete(self, hit: Hit, image: "Image.Image | None", state: str, siblings: Sequence[Photo]) -> None:
        """The picture of a hit and the other photos of its specimen; nothing if another is shown by now."""
        if self._hit is None or hit.photo != self._hit.photo:
            return
        self.picture.show(image, state)
        if siblings:
            self._siblings = siblings
            self._write(is_marked=self._is_marked)

    @property
    def _width(self) -> int:
        """Of the text, in cells; its scroll bar may come and go."""
        return self.query_one(_Facts).size.width - 1

    def on_resize(self) -> None:
        self._write(is_marked=self._is_marked)

    def _write(self, *, is_marked: bool) -> None:
        facts = self.query_one("#facts", Static)
        self._is_marked = is_marked
        if self._hit is None:
            facts.update("")
            return
        facts.update(_told(self._hit, self._place, self._siblings, self._width, is_marked=is_marked))
        self.query_one(_Facts).scroll_home(animate=False)


def _told(hit: Hit, place: str, siblings: Sequence[Photo], width: int, *, is_marked: bool) -> Content:
    lines = [full_name(hit)]
    if hit.taxon.common_name and hit.taxon.scientific_name:
        lines.append(Content.styled(printable(hit.taxon.common_name), "$quiet"))
    score = f"score {hit.score:.2f}   " if hit.score is not None else ""
    lines.append(Content.assemble((f"{score}{place}", "$count"), ("   ✓ marked" if is_marked else "", "bold $accent")))
    if hit.taxon.rank is not None:
        lines += [Content(""), ranks(hit.taxon)]
    lines.append(Content(""))
    lines += [_row(title, value, width) for title, value in fields(hit.photo)]
    if why := matches(hit):
        lines += [Content(""), Content.styled("Why it matched", "$quiet"), *(Content(f"  {line}") for line in why)]
    if siblings:
        lines += [Content(""), Content.styled(f"Same specimen: {len(siblings)} more (a)", "$quiet")]
        lines += [Content(f"  {_named(photo)}") for photo in siblings]
    if others := list(other_fields(hit.photo)):
        lines += [Content(""), Content.styled("Record", "$quiet")]
        lines += [Content.assemble((f"{term} ", "$quiet"), value) for term, value in others]
    return Content("\n").join(lines)


def _row(title: str, value: str, width: int) -> Content:
    """A field; what is too long for a line goes on below the first."""
    lines = wrap(value, max(8, width - _TITLE_WIDTH), break_on_hyphens=False) or [""]
    return Content.assemble((title.ljust(_TITLE_WIDTH), "$quiet"), ("\n" + " " * _TITLE_WIDTH).join(lines))


def _named(photo: Photo) -> str:
    name = printable(file_name(photo))
    return f"{printable(photo.view)}  {name}" if photo.view else name
