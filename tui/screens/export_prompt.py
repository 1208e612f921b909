"""Ask where the marked photos shall be written."""

import os
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from bioclip_search.text import printable
from tui.completion import at_home
from tui.screens.sheet import Sheet

__all__ = ["ExportPrompt"]


class ExportPrompt(Sheet[Path]):
    """Answers with the path of a file that is not there yet."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = f"Export {self._count:,} marked photos"
            sheet.border_subtitle = "⏎ writes · Esc closes"
            yield Input(value=str(Path.cwd() / "marked.csv"), compact=True, select_on_focus=False)
            yield Static(
                Content("A CSV file with the photos' records, as bioclip-search export writes it."),
                id="prompt-hint",
                classes="hint",
            )

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        file = Path(os.path.abspath(at_home(event.value.strip())))
        if complaint := _complaint(file, event.value):
            self.query_one("#prompt-hint", Static).update(Content(complaint))
        else:
            self.dismiss(file)


def _complaint(file: Path, typed: str) -> str:
    """Why nothing can be written there; empty where it can."""
    if not typed.strip() or file.is_dir():
        return "Type the name of a file."
    if file.exists():
        return f"{printable(str(file))} is there already; choose another name."
    return "" if file.parent.is_dir() else f"There is no folder {printable(str(file.parent))}."
