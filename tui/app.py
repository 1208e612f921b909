"""The terminal application. It alone speaks to the catalogue: in threads, answering what widgets ask by messages.

Importing this module imports neither torch, open_clip, lancedb nor pyarrow: the first screen is painted before them.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.command import Provider
from textual.widgets import Input

from bioclip_search.errors import BioclipSearchError
from bioclip_search.taxonomy import TaxonPath
from tui.answers import PhotoAnswers
from tui.bindings import key
from tui.commands import Commands
from tui.desk import CatalogueOpener
from tui.lanes import in_thread
from tui.messages import (
    BranchesWanted,
    ModelWanted,
    QuestionAsked,
    TaxaSought,
)
from tui.screens.notice import Notice
from tui.screens.too_small import TooSmall
from tui.status import ranks_all
from tui.theme import DARK, LIGHT, theme_name
from tui.widgets.banner import Banner
from tui.widgets.box import Box
from tui.widgets.gallery import DrawnTiles, Gallery
from tui.widgets.search_bar import SearchBar
from tui.widgets.taxa_pane import MOST_FOUND, MOST_LIKE, FoundTaxa, TaxaPane
from tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from tui.browsed import BrowsedCatalogue

__all__ = ["BrowseApp"]

_LOOK = 5.0
"""Seconds from one look whether the catalogue has changed to the next …"""
_UPKEEP = 1.0
"""… and whether memory is to be given back."""


class BrowseApp(PhotoAnswers):
    """Browse one catalogue."""

    CSS_PATH = "tui.tcss"
    TITLE = "bioclip-search"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        key("question_mark,f1", "help", "Help", "All keys of where you are", "help", show=True),
        key("ctrl+p", "command_palette", "Commands", "Find a command by its name", "commands", show=True),
        key("T", "next_theme", "Light/dark", "Change between the light and the dark colours", "theme"),
        key("E", "details", "Details", "What went wrong last, in full", "details"),
        key("q", "leave", "Quit", "Leave the program", "quit", show=True),
    ]

    def __init__(self, open_catalogue: CatalogueOpener, *, folder: Path, **options: Any) -> None:
        super().__init__(open_catalogue, folder=folder, **options)
        self._is_model_asked = False
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme_name(self.config.theme)

    # Beginning

    def on_mount(self) -> None:
        self.set_keymap(dict(self.config.keys))
        self._mind_signals()
        self.push_screen(self.main)
        self._mind_size()
        self.main.call_after_refresh(self._open)

    def on_resize(self) -> None:
        self.call_later(self._mind_size)  # the size is known then

    def _mind_size(self) -> None:
        """Where nothing can be seen, nothing but to leave can be done."""
        if TooSmall.is_needed(self.size) and not any(isinstance(screen, TooSmall) for screen in self.screen_stack):
            self.push_screen(TooSmall())

    def _mind_signals(self) -> None:
        """Whoever ends the program from outside finds the terminal as it was."""
        loop = asyncio.get_running_loop()
        # There are none on Windows, nor beside the main thread.
        with suppress(NotImplementedError, AttributeError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, partial(self.exit, return_code=128 + signal.SIGTERM))
            # With the terminal gone, there is none to restore, and writing to it can wait for ever.
            loop.add_signal_handler(signal.SIGHUP, os._exit, 128 + signal.SIGHUP)

    async def on_event(self, event: events.Event) -> None:
        """Keys act in the order in which they came, each where those before it have led.

        Textual hands a key to the widget that has the focus, and lets its action run when the key has come back to
        the application: of keys that come together, as they do over a slow line, later ones would go before it.
        """
        if isinstance(event, events.InputEvent):
            self.note_work()
        if isinstance(event, events.Key) and not event.is_forwarded and await self._acts_at_once(event):
            return
        await super().on_event(event)

    async def _acts_at_once(self, key: events.Key) -> bool:
        # As Textual has it: who types is here, whether or not the terminal has told; the focus comes back.
        if not self.app_focus:
            self.app_focus = True
        box = self.focused
        if isinstance(box, Box) and key.is_printable and key.character is not None:
            box.type_in(key.character)
            return True
        if isinstance(box, Input) and not isinstance(box, Box):  # it reads its letters from its own queue
            return False
        return await self._check_bindings(key.key, priority=True) or await self._check_bindings(key.key)

    def action_reload(self) -> None:
        self._open()

    def _open(self) -> None:
        self.main.query_one(TitleLine).tell(str(self.folder))
        former = self.catalogue

        def work() -> None:
            try:
                catalogue = self.open_catalogue()
                if former is not None:
                    catalogue.inherit(former)
            except BioclipSearchError as error:
                self.hand_over(self._not_opened, str(error))
            except Exception as error:
                self.hand_over(self._not_opened, f"The catalogue {self.folder} cannot be opened: {error}.")
            else:
                self.hand_over(self._opened, catalogue)

        in_thread(work)

    def _not_opened(self, sentence: str) -> None:
        if self.catalogue is None:
            self.last_error = sentence
            self.push_screen(Notice("The catalogue cannot be shown", sentence))
        else:
            self.fail(sentence)

    def _opened(self, catalogue: "BrowsedCatalogue") -> None:
        is_first = self.catalogue is None
        self.catalogue = catalogue
        self.main.query_one(TaxaPane).taxa.begin(catalogue.photos)
        self._told_problem(None)
        self._is_model_asked = False
        self._note_model(is_loading=False)
        self.tell_title()
        if self._screen_is_main():
            self.main.ask_again()
        self.in_lane(self.model, lambda catalogue: catalogue.problem(), self._told_problem)
        self._note_changes(False)
        if is_first:
            self.set_interval(_LOOK, self.look_for_changes)
            if self.upkeep is not None:
                self.set_interval(_UPKEEP, self.upkeep.look)
        # Whoever has gone elsewhere meanwhile, to type, is left there.
        if is_first and self._screen_is_main() and self.main.focused is None:
            self.main.set_focus(self.main.pane.view)

    def look_for_changes(self) -> None:
        """Say so when another program has written to the catalogue."""

        def then(found: "tuple[BrowsedCatalogue, bool]") -> None:
            catalogue, is_changed = found
            if catalogue is self.catalogue:  # not another one that has taken its place meanwhile
                self._note_changes(is_changed)

        self.in_lane(self.changes, lambda catalogue: (catalogue, catalogue.is_changed()), then, lambda _: None)

    def _note_changes(self, is_changed: bool) -> None:
        bindings = (active.binding for active in self.main.active_bindings.values())
        keys = next((self.get_key_display(binding) for binding in bindings if binding.id == "reload"), "r")
        self.main.query_one(TitleLine).note("changes", f"catalogue changed · {keys} reads it" if is_changed else "")

    def _screen_is_main(self) -> bool:
        return self.main in self.screen_stack

    def _told_problem(self, problem: str | None) -> None:
        bar, former = self.main.query_one(SearchBar), self.main.problem
        self.main.problem = problem
        if problem is None and former is not None:
            bar.say_hint()
            self.main.query_one(Banner).hide()
        if problem is not None:
            bar.say_hint("search by words and pictures is off, see below")
            self.last_error = problem
            self.main.warn(problem)

    # Questions

    @on(QuestionAsked)
    def _ask(self, asked: QuestionAsked) -> None:
        if self.catalogue is None:
            return
        question, view = asked.question, self.main.pane.view
        if question.words or question.picture:
            self._load_model()

        def job(catalogue: "BrowsedCatalogue") -> tuple[Any, DrawnTiles | None]:
            results = catalogue.ask(question.query())
            results = catalogue.sorted(results, question.order) if question.order else results
            is_at_top = not asked.cursor and asked is self.main.asked
            return results, self.first_tiles(catalogue, results, view) if is_at_top else None

        def then(found: tuple[Any, DrawnTiles | None]) -> None:
            results, tiles = found
            if tiles is not None and isinstance(view, Gallery):
                view.keep(tiles)
            self.main.answered(asked, results)

        def failed(sentence: str) -> None:
            if asked is self.main.asked:
                self.last_error = sentence
                self.main.failed(asked, sentence)

        in_thread(self.work(self.catalogue, job, then, failed))

    def recount(self) -> None:
        """Have the hits of what is shown counted by taxon."""
        tree, question = self.main.query_one(TaxaPane).taxa, self.main.question
        results = self.main.results
        if question.kept is not None or results is None or ranks_all(question, results):
            tree.count(None)
            return

        def then(counts: Mapping[TaxonPath, int] | None) -> None:
            if self.main.question == question:
                tree.count(counts)

        self.in_lane(self.counts, lambda catalogue: catalogue.counts(question.query()), then)

    @on(ModelWanted)
    def _load_model(self) -> None:
        if self.catalogue is None or self._is_model_asked or self.catalogue.model_ready() or self.main.problem:
            return
        self._is_model_asked = True
        self._note_model(is_loading=True)

        def failed(sentence: str) -> None:
            self._is_model_asked = False
            self._note_model(is_loading=False)
            self.fail(sentence)

        self.in_lane(
            self.model, lambda catalogue: catalogue.warm(), lambda _: self._note_model(is_loading=False), failed
        )

    def _note_model(self, *, is_loading: bool) -> None:
        self.main.query_one(TitleLine).note("model", "model loading… (browsing works)" if is_loading else "")
        self.note_work()

    # Taxa

    @on(BranchesWanted)
    def _read_branches(self, wanted: BranchesWanted) -> None:
        tree, path = self.main.query_one(TaxaPane).taxa, wanted.path

        def failed(sentence: str) -> None:
            tree.fail(path)
            self.fail(sentence)

        self.in_lane(
            self.taxa, lambda catalogue: catalogue.children(path), lambda found: tree.fill(path, found), failed
        )

    @on(TaxaSought)
    def _find_taxa(self, sought: TaxaSought) -> None:
        pane, words = self.main.query_one(TaxaPane), sought.words

        def look(catalogue: "BrowsedCatalogue") -> FoundTaxa:
            found = catalogue.find_taxa(words, MOST_FOUND)
            return FoundTaxa(words, found, [] if found else catalogue.taxa_like(words, MOST_LIKE))

        if words:
            self.in_lane(self.found, look, pane.found)
        else:
            pane.found(FoundTaxa())
