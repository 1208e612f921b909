"""The box for words. It asks a moment after the last key, or at once with Enter."""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.bindings import key
from tui.completion import dropped_file, looks_like_path
from tui.widgets.box import Box
from tui.widgets.results_pane import ResultsPane

__all__ = ["SearchBar", "SearchInput"]

_HINT = "a name, or what it looks like"
_REMEMBERED = 100


class SearchInput(Box):
    """Letters are text here, whatever they do elsewhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "leave", "Leave", "Leave the box; the results stay", "search-leave", show=True),
        key("up", "recall(-1)", "Words before", "Bring back the words that were searched before", "search-up"),
        key("down", "recall(1)", "To the results", "Later words again, else go to the results", "search-down"),
    ]

    class Left(Message):
        """The user wants out of the box."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self.said = _Said()

    async def action_submit(self) -> None:
        """Have the words searched for; keys that come after this one are the results'."""
        await super().action_submit()
        self._go_to_results()

    def take_in(self, pasted: str) -> None:
        """A dropped picture is searched by as it is named, with all its blanks."""
        if dropped_file(pasted):
            self.post_message(SearchBar.Dropped(pasted))
        else:
            super().take_in(pasted)

    def action_leave(self) -> None:
        self.said.begin()
        self.post_message(self.Left())
        self._go_to_results()

    def _go_to_results(self) -> None:
        self.screen.set_focus(self.screen.query_one(ResultsPane).view)

    def action_recall(self, by: int) -> None:
        """Go through the words that were searched for; after the last ones come the results."""
        words = self.said.earlier(self.value) if by < 0 else self.said.later(self.value)
        if words is not None:
            self.value = words
            self.cursor_position = len(words)
        elif by > 0:
            self.action_leave()


class _Said:
    """Words that were searched for, each once, as a shell keeps its lines: `draft` are those that were being typed."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._at = 0
        self._draft = ""

    def add(self, words: str) -> None:
        """These are now the last ones."""
        self._words = [*(other for other in self._words if other != words), words][-_REMEMBERED:]
        self.begin()

    def begin(self) -> None:
        """What is in the box was not brought back from here: the words before it are the last ones."""
        self._at, self._draft = len(self._words), ""

    def earlier(self, typed: str) -> str | None:
        """The words before those that are in the box; None before the first."""
        self._mind(typed)
        if not self._at:
            return None
        if self._at == len(self._words):
            self._draft = typed
        self._at -= 1
        return self._words[self._at]

    def later(self, typed: str) -> str | None:
        """The words after those that are in the box, at last what was being typed; None after that."""
        self._mind(typed)
        if self._at == len(self._words):
            return None
        self._at += 1
        return self._words[self._at] if self._at < len(self._words) else self._draft

    def _mind(self, typed: str) -> None:
        """Words that were brought back and then changed are words that are being typed."""
        if self._at < len(self._words) and typed != self._words[self._at]:
            self.begin()


class SearchBar(Horizontal):
    """Words to search for; `pause` are the seconds after the last key until the search begins."""

    pause = 0.25

    class Asked(Message):
        """Search for these words; `is_final` after Enter."""

        def __init__(self, words: str, *, is_final: bool) -> None:
            super().__init__()
            self.words = words
            self.is_final = is_final

    class Dropped(Message):
        """What is no words but the path of a picture, typed or dropped."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Entered(Message):
        """The box has the focus: words are about to come."""

    def __init__(self) -> None:
        super().__init__()
        self._pause: Timer | None = None
        self._asked = ""
        self._hint = _HINT
        self._kind = ""

    def compose(self) -> ComposeResult:
        yield SearchInput(_HINT)
        yield Static(id="search-kind")

    def on_mount(self) -> None:
        self.border_title = "Search (/)"
        self.say_kind("text")

    def say_kind(self, kind: str) -> None:
        """What is searched by now: text, image or similar."""
        if kind != self._kind:
            self._kind = kind
            said = Content.assemble((f"[{kind}]", "$accent"), ("  image…  ⏎ run", "$quiet"))
            self.query_one("#search-kind", Static).update(said)

    def say_question(self, title: str) -> None:
        """What is shown where that is not words: similar to a photo, marked photos."""
        self.input.placeholder = title or self._hint
        self.input.set_class(bool(title), "-told")

    def say_hint(self, hint: str = _HINT) -> None:
        """What an empty box says: what to type, or why that finds nothing."""
        self._hint = hint
        self.input.placeholder = hint

    @on(events.Click, "#search-kind")
    def _clicked(self) -> None:
        self.screen.action_image_search()  # type: ignore[attr-defined]

    @property
    def input(self) -> SearchInput:
        return self.query_one(SearchInput)

    def put(self, words: str) -> None:
        """Show these words without asking for them."""
        self._stop()
        self._asked = words
        with self.input.prevent(Input.Changed):
            self.input.value = words

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._stop()
        self._pause = self.set_timer(self.pause, lambda: self._ask(self.input.value, is_final=False))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._ask(event.value, is_final=True)

    def on_descendant_focus(self) -> None:
        self.post_message(self.Entered())

    def _stop(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause = None

    def _ask(self, typed: str, *, is_final: bool) -> None:
        self._stop()
        words = typed.strip()
        if looks_like_path(words):
            if is_final:
                self.post_message(self.Dropped(words))
            return
        if is_final and words:
            self.input.said.add(words)
        if is_final or words != self._asked:
            self._asked = words
            self.post_message(self.Asked(words, is_final=is_final))
