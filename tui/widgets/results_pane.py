"""The middle pane: what a query gave, as a gallery or as a list; or in words why there is nothing."""

from typing import TYPE_CHECKING, Self

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Static

from bioclip_search.query import Hit
from tui.widgets.gallery import Gallery
from tui.widgets.hit_view import HitView
from tui.widgets.result_list import ResultList

if TYPE_CHECKING:
    from tui.results import Results

__all__ = ["ResultsPane"]


class ResultsPane(Container):
    """Both views show the same hits, the same marks and the same cursor; one of them is seen."""

    class Moved(Message):
        """The cursor came to a hit, or the hit under it was read."""

        def __init__(self, index: int, hit: Hit | None) -> None:
            super().__init__()
            self.index = index
            self.hit = hit

    def __init__(self) -> None:
        super().__init__(id="results")
        self._results: Results | None = None
        self._is_list = self._is_entitling = False
        self._nothing = "Reading the catalogue…"

    def compose(self) -> ComposeResult:
        yield Gallery()
        yield ResultList()
        yield Static(id="nothing")

    def on_mount(self) -> None:
        one, other = self._views
        one.marked = other.marked
        self._arrange()

    @property
    def _views(self) -> tuple[HitView, HitView]:
        return self.query_one(Gallery), self.query_one(ResultList)

    @property
    def view(self) -> HitView:
        """The view that is seen."""
        return self.query_one(ResultList if self._is_list else Gallery)

    @property
    def is_list(self) -> bool:
        return self._is_list

    @property
    def results(self) -> "Results | None":
        return self._results

    @property
    def hit(self) -> Hit | None:
        """The hit under the cursor."""
        return self.view.hit_at(self.view.cursor)

    @property
    def nothing(self) -> str:
        """Why there is nothing to see; empty where there is something."""
        return "" if self._results is not None and self._results.count else self._nothing

    def show(self, results: "Results | None", cursor: int = 0, nothing: str = "") -> None:
        """Show results with the cursor on one of them; `nothing` says why there are none."""
        self._results, self._nothing = results, nothing
        for view in self._views:
            view.show(results if view is self.view else None, cursor)
        self._arrange()

    def dim(self, is_dim: bool) -> None:
        """Other results are on their way."""
        self.view.dim(is_dim)
        self.query_one("#nothing").set_class(is_dim, "-dim")

    def draw_anew(self) -> None:
        """Pictures are drawn another way from now on."""
        self.query_one(Gallery).forget_pictures()

    def go_to(self, index: int) -> None:
        """Put the cursor on a hit."""
        self.view.cursor = index

    def mark(self, key: str, *, is_marked: bool) -> None:
        for view in self._views:
            view.mark(key, is_marked)

    def toggle_view(self) -> None:
        """From gallery to list, or back, with the cursor where it was."""
        cursor, had_focus = self.view.cursor, self.screen.focused is self.view
        self._is_list = not self._is_list
        self.show(self._results, cursor, self._nothing)
        if had_focus:
            self.screen.set_focus(self.view)

    def _arrange(self) -> None:
        is_empty = bool(self.nothing)
        self.query_one(Gallery).display = not is_empty and not self._is_list
        self.query_one(ResultList).display = not is_empty and self._is_list
        words = self.query_one("#nothing", Static)
        words.display = is_empty
        if is_empty:
            words.update(Content(self.nothing))
        self._entitle()

    def _entitle(self) -> None:
        kind = "list" if self._is_list else "grid"
        count = self._results.count if self._results is not None else 0
        self._is_entitling = True
        self.border_title = f"Results {self.view.cursor + 1:,}/{count:,} · {kind}" if count else f"Results · {kind}"
        self._is_entitling = False

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As ever, but another title repaints its own line only: the photos are some kilobytes."""
        if self._is_entitling and not regions:
            regions = (Region(-1, -1, self.outer_size.width, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    @on(HitView.Highlighted)
    def _highlighted(self, event: HitView.Highlighted) -> None:
        if isinstance(event, HitView.Selected):
            return
        event.stop()
        if event.view is self.view:
            self._entitle()
            self.post_message(self.Moved(event.index, event.hit))
