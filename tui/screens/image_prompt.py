"""Ask for a picture of one's own to search with."""

import os
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from bioclip_search.text import printable
from tui.bindings import key
from tui.completion import at_home, completions, dropped_path
from tui.lanes import Lane
from tui.screens.sheet import Sheet
from tui.widgets.box import PathBox

__all__ = ["ImagePrompt"]


class _PictureBox(PathBox):
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab", "complete", "Complete", "Complete the path as far as it is clear", "path-complete", show=True),
        key("down", "to_list", "To the list", "Go to the list of paths", "path-down"),
    ]

    def action_complete(self) -> None:
        self.screen.complete()  # type: ignore[attr-defined]

    def action_to_list(self) -> None:
        self.screen.query_one(OptionList).focus()

    def take_in(self, pasted: str) -> None:
        """A dropped file takes the place of what was there."""
        self.value = dropped_path(self.one_line(pasted)[: self.most])
        self.cursor_position = len(self.value)


class ImagePrompt(Sheet[str]):
    """Answers with the path of a file that is there, or an http(s) address."""

    def __init__(self) -> None:
        super().__init__()
        self._lane = Lane(latest=True)
        self._paths: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Search by image"
            sheet.border_subtitle = "Tab completes · ⏎ searches · Esc closes"
            yield _PictureBox(placeholder="path of a picture, or drop one here", compact=True)
            yield OptionList()
            yield Static(id="prompt-hint", classes="hint")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = True
        self._look("")

    @property
    def paths(self) -> list[str]:
        """The paths that what is typed could become."""
        return self._paths

    def complete(self) -> None:
        """Write what all paths have in common."""
        common = os.path.commonprefix(self._paths)  # noqa: RUF071 (letters are what is typed)
        box = self.query_one(_PictureBox)
        if len(common) > len(at_home(box.value)):
            box.value = common
            box.cursor_position = len(common)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#prompt-hint", Static).update("")
        self._look(event.value)

    def _look(self, typed: str) -> None:
        app = self.app  # a closed screen has none

        def work() -> None:
            found = completions(typed)
            app.call_later(self._show, typed, found)

        self._lane.do(work)

    def _show(self, typed: str, found: list[str]) -> None:
        if self not in self.app.screen_stack or self.query_one(_PictureBox).value != typed:
            return
        self._paths = found
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Content(_last_part(path))) for path in found])

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        box = self.query_one(_PictureBox)
        if event.option_index >= len(self._paths):  # other paths came meanwhile
            return
        path = self._paths[event.option_index]
        if path.endswith(os.sep):
            box.value = path
            box.cursor_position = len(path)
            box.focus()
        else:
            self._answer(path)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(dropped_path(event.value))

    def _answer(self, path: str) -> None:
        if path.startswith(("http://", "https://")):
            self.dismiss(path)
            return
        file = at_home(path)
        if path and os.path.isfile(file):
            self.dismiss(os.path.abspath(file))
        else:
            said = f"There is no file {printable(path)}." if path else "Type the path of a picture."
            self.query_one("#prompt-hint", Static).update(Content(said))


def _last_part(path: str) -> str:
    whole = path.rstrip(os.sep)
    return printable(os.path.basename(whole) + path[len(whole) :])
