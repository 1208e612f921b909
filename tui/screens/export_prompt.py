"""Ask where the marked photos shall be written."""

import os
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from bioclip_search.text import printable
from tui.completion import at_home
from tui.screens.sheet import Sheet
from tui.widgets.box import PathBox

__all__ = ["ExportPrompt"]

_HINT = "Their records, as the ending says: .csv, .jsonl, .parquet, or .zip (a Darwin Core Archive)."


class ExportPrompt(Sheet[Path]):
    """Answers with the path of a file that is not there yet; begins with `file`, and why that could not be written."""

    def __init__(self, count: int, file: Path | None = None, complaint: str = "") -> None:
        super().__init__()
        self._count = count
        self._first = str(file) if file else _first_name()
        self._said = complaint or _HINT

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = f"Export {self._count:,} marked photo{'' if self._count == 1 else 's'}"
            sheet.border_subtitle = "⏎ writes · Esc closes"
            yield PathBox(value=self._first, compact=True)
            yield Static(Content(self._said), id="prompt-hint", classes="hint")

    def on_mount(self) -> None:
        """The name alone is selected: what is typed takes its place, the folder and the ending stay."""
        box = self.query_one(Input)
        name = Path(box.value)
        end = len(box.value) - len(name.suffix)
        box.selection = Selection(end - len(name.stem), end)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._first:
            self.query_one("#prompt-hint", Static).update(Content(_HINT))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        file, complaint = _file(event.value, Path(self._first).suffix)
        if complaint:
            self.query_one("#prompt-hint", Static).update(Content(complaint))
        else:
            self.dismiss(file)


def _file(typed: str, ending: str) -> tuple[Path, str]:
    """What was meant by what was typed before an ending, and why nothing can be written there."""
    try:
        file = Path(os.path.abspath(at_home(_whole(typed.strip(), ending))))
    except OSError:
        return Path(), "The current folder is gone; type the whole path."
    return file, _complaint(file, typed)


def _whole(typed: str, ending: str) -> str:
    """A whole path, or another ending, that was typed in the place of the name alone: between its folder and its
    ending."""
    from bioclip_search.export import FORMATS

    for mark in ("//", "/~/"):
        if mark in typed:
            typed = mark[1:] + typed.rpartition(mark)[2]
    name = typed.removesuffix(ending)
    return name if Path(name).suffix.lower() in FORMATS else typed


def _first_name() -> str:
    """What the box begins with: a file of the current folder, if that is still there and can be typed."""
    try:
        name = str(Path.cwd() / "marked.csv")
    except OSError:
        return "marked.csv"
    return name if printable(name) == name else "marked.csv"


def _complaint(file: Path, typed: str) -> str:
    """Why nothing can be written there; empty where it can."""
    from bioclip_search.export import FORMATS

    if not typed.strip() or os.path.isdir(file):  # Path.is_dir raises for long names and closed folders
        return "Type the name of a file."
    if file.suffix.lower() not in {"", *FORMATS}:
        return f"Nothing is written as {printable(file.suffix)}; let the name end in .csv, .jsonl, .parquet or .zip."
    if os.path.exists(file):
        return f"{printable(str(file))} is there already; choose another name."
    return "" if os.path.isdir(file.parent) else f"There is no folder {printable(str(file.parent))}."
