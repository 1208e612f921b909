"""The terminal application under test: opened on a catalogue, waited for by conditions, and forced to be slow."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

from textual.command import CommandList
from textual.pilot import Pilot
from textual.screen import Screen

from bioclip_search.query import Query
from tui.app import BrowseApp
from tui.browsed import BrowsedCatalogue
from tui.lanes import Lane
from tui.results import Results

__all__ = ["Held", "browsing", "highlighted_command", "in_loop", "settled", "shown_text", "toasts", "until"]

_PATIENCE = 60


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine, run to its end."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the application work until the condition holds."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await pilot.pause(0.01)
    await pilot.pause()


async def settled(pilot: Pilot[None], lane: Lane) -> None:
    """Let a lane do what it has been given, and the application take the answers."""
    done = Event()

    def is_done() -> bool:
        # In a lane of the latest, what waits would give way to this; and this gives way to what is asked after it.
        if not done.is_set() and lane.is_free:
            lane.do(done.set)
        return done.is_set()

    await until(pilot, is_done)


@asynccontextmanager
async def browsing(
    folder: Path,
    size: tuple[int, int] = (120, 40),
    open_catalogue: Callable[[Path], BrowsedCatalogue] = BrowsedCatalogue.open,
    **options: Any,
) -> AsyncIterator[tuple[BrowseApp, Pilot[None]]]:
    """The application with the first listing on the screen."""
    app = BrowseApp(lambda: open_catalogue(folder), folder=folder, **options)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.main.past.now is not None and app.main.hit is not None)
        yield app, pilot


class Held(BrowsedCatalogue):
    """An open catalogue that notes what it is asked, and answers a query by words when the test lets it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: list[Query] = []
        self.answered: list[str] = []
        self.thumbnails_asked: list[list[str]] = []
        self.gates: dict[str, Event] = {}
        self.error: Exception | None = None

    def hold(self, words: str) -> Event:
        """Answer these words only when the event is set."""
        return self.gates.setdefault(words, Event())

    def ask(self, query: Query) -> Results:
        self.asked.append(query)
        for part in query.parts:
            if (gate := self.gates.get(part.label)) is not None:
                assert gate.wait(_PATIENCE)
            if self.error is not None:
                raise self.error
        results = super().ask(query)
        self.answered += [part.label for part in query.parts]
        return results

    def thumbnails(self, keys: Any) -> dict[str, bytes]:
        self.thumbnails_asked.append(list(keys))
        return super().thumbnails(keys)

    @property
    def searches(self) -> list[str]:
        """The words that were searched for."""
        return [query.parts[0].label for query in self.asked if query.parts]


def shown_text(screen: Screen[Any]) -> str:
    """The screen as one reads it, without colours."""
    lines = screen._compositor.render_strips(screen.size)
    return "\n".join(strip.text for strip in lines)


def toasts(app: BrowseApp) -> str:
    """What the messages in the corner say."""
    return "\n".join(f"{note.title} {note.message}" for note in app._notifications)


def highlighted_command(app: BrowseApp) -> str:
    """The command that Enter would run."""
    commands = app.screen.query(CommandList)
    option = commands.first().highlighted_option if commands else None
    return str(option.prompt) if option is not None else ""
