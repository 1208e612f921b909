"""The screen one works on: search bar and filters, taxa, results, specimen."""

from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from bioclip_search.text import printable
from tui.bindings import PHOTO_KEYS, key
from tui.completion import dropped_file, looks_like_path
from tui.messages import ModelWanted, SpecimenWanted, TaxonChosen
from tui.question import RANKS_TO_CHOOSE, Question
from tui.results import Order
from tui.screens.asking import AskingScreen
from tui.screens.full_view import FullView
from tui.screens.menu import Menu
from tui.status import default_order, orders
from tui.widgets.banner import Banner
from tui.widgets.filter_line import FilterLine
from tui.widgets.hit_view import HitView
from tui.widgets.key_line import KeyLine
from tui.widgets.results_pane import ResultsPane
from tui.widgets.search_bar import SearchBar, SearchInput
from tui.widgets.specimen import SpecimenPane
from tui.widgets.taxa_pane import TaxaPane
from tui.widgets.title_line import TitleLine

__all__ = ["MainScreen"]

_PAUSE = 0.1
"""Seconds that the cursor rests before the specimen is told of: a held key flies by."""
_STEP = 0.05


class MainScreen(AskingScreen):
    """The panes and what happens between them."""

    TITLE = "Browse"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-mid"), (150, "-wide")]  # noqa: RUF012 (so in Textual)
    BINDINGS: ClassVar[list[BindingType]] = [
        key("slash", "search", "Search", "Search by words: a name, or what it looks like", "search-text", show=True),
        key("t", "taxa", "Taxa", "Go to the tree of taxa", "taxa", show=True),
        key("tab", "app.focus_next", "Pane", "Go to the next pane", "next-pane", show=True),
        key("shift+tab", "app.focus_previous", "Pane before", "Go to the pane before", "previous-pane"),
        PHOTO_KEYS[0],
        key("v", "view", "Grid/List", "Show the results as a gallery or as a list", "view", show=True),
        key("d", "detail", "Detail", "Show or hide the specimen's pane", "detail", show=True),
        *PHOTO_KEYS[1:],
        key("I", "image_search", "Search by image", "Search with a picture of your own", "search-image"),
        key(
            "escape",
            "step_back",
            "Step back",
            "Give up the search, then words, taxon and rank",
            "step-back",
        ),
        key("f", "find_taxon", "Find a taxon", "Find taxa by scientific or common name", "find-taxon"),
        key("x", "clear_taxon", "All taxa", "Remove the taxon filter", "clear-taxon"),
        key("backspace,H", "go(-1)", "Back", "To the results before these", "back"),
        key("L", "go(1)", "Forward", "To the results after these", "forward"),
        key("S", "sort", "Sort", "Choose the order of the results", "sort"),
        key("R", "next_rank", "Rank", "Only photos determined to species, genus or family", "rank"),
        key("left_square_bracket", "lower_score", "Lower score", "Show worse matches, too", "score-lower"),
        key("right_square_bracket", "raise_score", "Higher score", "Show only better matches", "score-raise"),
        key("M", "show_marked", "Marked", "Show the marked photos", "show-marked"),
        key("e", "app.export", "Export", "Write the marked photos to a file", "export"),
        key("r", "app.reload", "Reload", "Read the catalogue again", "reload"),
    ]
    AUTO_FOCUS = "Gallery"

    def __init__(self) -> None:
        super().__init__()
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield SearchBar()
        yield FilterLine()
        yield Banner()
        with Horizontal(id="panes"):
            yield TaxaPane()
            yield ResultsPane()
            yield SpecimenPane()
        yield KeyLine()

    # The search bar, the tree, the results

    @on(SearchBar.Entered)
    def _about_to_search(self) -> None:
        self.post_message(ModelWanted())

    @on(SearchBar.Asked)
    def _searched(self, event: SearchBar.Asked) -> None:
        now = self.now
        if event.words or event.is_final or now.words:
            order = now.order if now.is_search and event.words else None
            asked = replace(now, words=event.words, picture=None, like=None, kept=None, order=order)
            if self.asked is not None and self.past.now is not None and asked == self.question:
                self._give_up()
            elif asked != now:
                self.ask(asked, is_typed=True)
        if event.is_final:
            self._end_typing()

    @on(SearchBar.Dropped)
    def _dropped(self, event: SearchBar.Dropped) -> None:
        self._take(event.text)

    def on_paste(self, event: events.Paste) -> None:
        """A file that is dropped anywhere but on a box is what to search by."""
        event.stop()
        if looks_like_path(event.text.strip()):
            self._take(event.text)

    def _take(self, dropped: str) -> None:
        """Search by a picture that was dropped, or say that it is none."""
        file = dropped_file(dropped)
        if file is None:
            self.complain(f"There is no picture {printable(dropped.strip())}. I helps to find one.")
        else:
            self.query_one(SearchBar).put("")
            self.search_by_picture(file)

    def search_by_picture(self, file: str) -> None:
        self.ask(replace(self.now, words="", picture=file, like=None, kept=None, order=None))

    @on(SearchInput.Left)
    def _left_search(self) -> None:
        if self.asked is not None:
            self._give_up()
        self.query_one(SearchBar).put(self.question.words)

    @on(HitView.Selected)
    def _selected(self, event: HitView.Selected) -> None:
        event.stop()
        self.app.push_screen(FullView(self.pane, self.app.images))  # type: ignore[attr-defined]

    @on(TaxonChosen)
    def _chose_taxon(self, event: TaxonChosen) -> None:
        self.ask(replace(self.now, taxon=event.path, kept=None))

    @on(ResultsPane.Moved)
    def _moved(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_PAUSE, self.tell_specimen)

    def tell_specimen(self) -> None:
        """Show the specimen under the cursor, and have its picture brought."""
        pane, hit = self.query_one(SpecimenPane), self.pane.hit
        results = self.pane.results
        if hit is None or results is None or not pane.display:
            return
        place = f"{'rank' if hit.score is not None else 'photo'} {self.pane.view.cursor + 1:,} of {results.count:,}"
        pane.show(hit, place, is_marked=self.app.is_marked(hit))  # type: ignore[attr-defined]
        self.post_message(SpecimenWanted(hit))

    # What keys do

    def action_search(self) -> None:
        self.query_one(SearchBar).input.enter()

    def action_image_search(self) -> None:
        def search(path: str | None) -> None:
            if path:
                self.search_by_picture(path)

        from tui.screens.image_prompt import ImagePrompt

        self.app.push_screen(ImagePrompt(), search)

    def action_taxa(self) -> None:
        self.remove_class("-detail", "-no-taxa")
        self.set_focus(self.query_one(TaxaPane).taxa)

    def action_find_taxon(self) -> None:
        self.remove_class("-detail", "-no-taxa")
        self.query_one(TaxaPane).action_find()

    def action_view(self) -> None:
        self.pane.toggle_view()

    def action_detail(self) -> None:
        is_narrow = self.has_class("-narrow")
        self.toggle_class("-detail" if is_narrow else "-no-detail")
        self.call_after_refresh(self.tell_specimen)

    def action_step_back(self) -> None:
        """Give up what is under way, else the banner, else the search, else the taxon, else the rank; never leave."""
        banner, now = self.query_one(Banner), self.question
        if self.asked is not None:
            self._give_up()
        elif banner.display:
            banner.hide()
        elif now.is_search or now.kept is not None:
            self.ask(Question(taxon=now.taxon, determined_to=now.determined_to))
        elif now.taxon:
            self.action_clear_taxon()
        elif now.determined_to is not None:
            self.ask(replace(now, determined_to=None))

    def action_clear_taxon(self) -> None:
        if self.now.taxon:
            self.ask(replace(self.now, taxon=()))

    def action_next_rank(self) -> None:
        at = RANKS_TO_CHOOSE.index(self.now.determined_to)
        self.ask(replace(self.now, determined_to=RANKS_TO_CHOOSE[(at + 1) % len(RANKS_TO_CHOOSE)], kept=None))

    def action_lower_score(self) -> None:
        least = self.now.least
        if self.now.is_search and least is not None:
            self.ask(replace(self.now, least=round(least - _STEP, 2) if least > _STEP else None))

    def action_raise_score(self) -> None:
        if self.now.is_search:
            self.ask(replace(self.now, least=round((self.now.least or 0.0) + _STEP, 2)))

    def action_sort(self) -> None:
        def sort(name: str | None) -> None:
            if name is not None:
                order = Order(name)
                self.ask(replace(self.now, order=None if order is default_order(self.now) else order))

        if self.now.kept is None:
            self.app.push_screen(Menu("Sort by", {order: order for order in orders(self.now)}), sort)

    def action_show_marked(self) -> None:
        self.app.show_marked()  # type: ignore[attr-defined]
