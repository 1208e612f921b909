"""The command palette: what can be done now, by name."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.screens.full_view import FullView
from tui.screens.main import MainScreen

if TYPE_CHECKING:
    from tui.app import BrowseApp

__all__ = ["Commands"]

_Command = tuple[str, str, str]
"""Title, action, help."""


class Commands(Provider):
    """Only what makes sense where one is is offered."""

    async def discover(self) -> Hits:
        async for title, action, help_ in self._now():
            yield DiscoveryHit(title, partial(self._run, action), help=help_)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        async for title, action, help_ in self._now():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), partial(self._run, action), help=help_)

    async def _run(self, action: str) -> None:
        await self.screen.run_action(action)

    async def _now(self) -> AsyncIterator[_Command]:
        app = cast("BrowseApp", self.app)
        screen = self.screen
        if isinstance(screen, MainScreen):
            for command in _of_main(screen):
                yield command
        if getattr(screen, "hit", None) is not None:
            for command in _of_photo():
                yield command
        if isinstance(screen, FullView):
            yield "Back to the results", "leave", "Close the full view"
        if app.marks:
            yield "Export the marked photos", "app.export", f"Write the {len(app.marks):,} to a file"
            yield "Unmark all photos", "app.unmark_all", f"{len(app.marks):,} marked now"
        is_dark = app.current_theme.dark
        yield ("Light colours" if is_dark else "Dark colours"), "app.next_theme", "Change the colours"
        yield "Draw pictures another way", "app.next_image_mode", f"Now: {app.images}"
        yield "Help", "app.help", "All keys of where you are"
        yield "Quit", "app.leave", "Leave the program"


def _of_main(screen: MainScreen) -> Iterator[_Command]:
    question = screen.question
    yield "Search by words", "search", "A name, or what it looks like"
    yield "Search by image", "image_search", "With a picture of your own"
    yield "Find a taxon", "find_taxon", "By scientific or common name"
    yield ("Show as a gallery" if screen.pane.is_list else "Show as a list"), "view", "Another way to see the results"
    yield "Sort the results", "sort", "By name, number, date…"
    yield "Only photos determined to…", "next_rank", "Species, genus, family, or any rank"
    if question.taxon:
        yield "All taxa", "clear_taxon", "Remove the taxon filter"
    if question.is_search:
        yield "Forget the search", "step_back", "Back to all photos of the taxon"
        yield "Only better matches", "raise_score", "Raise the lowest score"
    if screen.past.beside(-1):
        yield "Back", "go(-1)", "To the results before these"
    if screen.past.beside(1):
        yield "Forward", "go(1)", "To the results after these"
    yield "Show or hide the specimen", "detail", "The pane at the right"
    yield "Show the marked photos", "show_marked", "As results"
    yield "Read the catalogue again", "app.reload", "After photos were indexed"


def _of_photo() -> Iterator[_Command]:
    yield "Similar photos", "app.similar", "Photos that look like this one"
    yield "All photos of this specimen", "app.siblings", "Every view of it"
    yield "Suggestions for this photo", "app.suggestions", "Identify it; accept or reject what was suggested"
    yield "Mark or unmark this photo", "app.mark", "To export several together"
    yield "Open the photo", "app.open_photo", "In the program that is meant for it"
    yield "Reveal the file", "app.reveal_photo", "In its folder"
    yield "Copy the path", "app.copy('path')", "Of the file"
    yield "Copy the catalogue number", "app.copy('number')", "Of the specimen"
    yield "Copy…", "app.copy_menu", "Name, number, folder…"
