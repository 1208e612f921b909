"""What keys do to the photo under the cursor, wherever it is shown; and what they do everywhere."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.text import Text
from textual.binding import Binding

from bioclip_search.query import Hit
from bioclip_search.text import printable
from tui.desk import Desk
from tui.desktop import clipboard_command, has_desktop, open_command, put_on_clipboard, reveal_command
from tui.images import Mode
from tui.kept import Kept
from tui.lanes import in_thread
from tui.messages import ExportWanted
from tui.named import key_of, number_or_file
from tui.question import Like, Question
from tui.screens.full_view import FullView
from tui.screens.help import HelpScreen, groups
from tui.theme import DARK, LIGHT
from tui.widgets.picture import Picture

__all__ = ["COPIES", "PhotoActions"]

COPIES = {
    "path": "path of the file",
    "folder": "folder",
    "file": "file name",
    "stem": "file name without its ending",
    "number": "catalogue number",
    "name": "scientific name",
    "occurrence": "occurrenceID",
}


_KEYS = {
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "enter": "⏎",
    "escape": "Esc",
    "backspace": "Backspace",
    "space": "Space",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "f1": "F1",
}


_UNCERTAIN = "If it does not arrive there, select it here with Shift+drag (tmux: set-clipboard on)."


class PhotoActions(Desk):
    """Actions of the application, apart from those that ask the catalogue."""

    exports_under_way = 0
    _siblings_of: Hit | None = None
    _is_leaving = False

    @property
    def hit(self) -> Hit | None:
        """The photo under the cursor of the screen in front."""
        hit: Hit | None = getattr(self.screen, "hit", None)
        return hit

    # The photo

    def action_similar(self) -> None:
        """Photos like this one, within the same taxon."""
        hit = self.hit
        if hit is None:
            return
        self._leave_full_view()
        like = Like(str(hit.photo.file), number_or_file(hit))
        self.main.ask(replace(self.main.now, words="", picture=None, like=like, kept=None, order=None))

    def action_siblings(self) -> None:
        """All photos of this specimen."""
        hit = self.hit
        if hit is None:
            return
        self._leave_full_view()
        name = printable(number_or_file(hit))
        self._siblings_of = hit
        before = self.main.asked, self.main.past.now

        def then(photos: Any) -> None:
            if self._siblings_of is not hit or (self.main.asked, self.main.past.now) != before:
                return
            kept = [hit, *(Hit(photo, None) for photo in photos)]
            self.main.show_kept(Question(kept=f"specimen {name}"), Kept(kept))

        self.in_lane(self.others, lambda catalogue: catalogue.siblings(hit.photo), then)

    def is_marked(self, hit: Hit) -> bool:
        return key_of(hit) in self.marks

    def action_mark(self) -> None:
        hit = self.hit
        if hit is None:
            return
        key = key_of(hit)
        if self.marks.pop(key, None) is None:
            self.marks[key] = hit
        self._tell_marks([key])

    def action_unmark_all(self) -> None:
        keys = list(self.marks)
        self.marks.clear()
        self._tell_marks(keys)
        self.notify(f"{len(keys):,} photo{'' if len(keys) == 1 else 's'} unmarked")

    def _tell_marks(self, keys: Iterable[str]) -> None:
        """Show that photos are marked now, or are not any more."""
        self._is_leaving = False
        for key in keys:
            self.main.pane.mark(key, is_marked=key in self.marks)
        self.main.tell_specimen()
        self.tell_title()
        if isinstance(self.screen, FullView):
            self.screen.entitle()

    def show_marked(self) -> None:
        """The marked photos, as results."""
        self.main.show_kept(Question(kept="marked photos"), Kept(list(self.marks.values())))

    def action_export(self) -> None:
        if self.marks:
            self.ask_for_export()
        else:
            self.notify("No photo is marked. m marks the photo under the cursor.", severity="warning")

    def ask_for_export(self, file: Path | None = None, complaint: str = "") -> None:
        """Ask for a file to write; of one that could not be written `complaint` tells why."""
        from tui.screens.export_prompt import ExportPrompt

        def export(file: Path | None) -> None:
            if file is not None:
                self.post_message(ExportWanted(file))

        self.push_screen(ExportPrompt(len(self.marks), file, complaint), export)

    def action_suggestions(self) -> None:
        from tui.screens.suggestions import Suggestions

        if self.hit is not None:
            self.push_screen(Suggestions(self.hit))

    # The desktop

    def action_open_photo(self) -> None:
        self._start(open_command)

    def action_reveal_photo(self) -> None:
        self._start(reveal_command)

    def _start(self, command: Any) -> None:
        """Start a program with the photo; where no window would appear, tell its path."""
        if self.hit is None:
            return
        file = self.hit.photo.file
        if not has_desktop():
            self.notify(printable(str(file)), title="No desktop here; the file is", timeout=10, markup=False)
            return
        try:
            self.opener(command(file))
        except OSError as error:
            self.notify(f"{error.strerror}: {printable(str(file))}", severity="error", timeout=10, markup=False)

    def action_copy(self, what: str) -> None:
        if self.hit is None:
            return
        text = _copied(self.hit, what)
        if text is None:
            self.notify(f"The record has no {COPIES[what]}.", severity="warning")
        else:
            self.copy(text)

    def action_copy_menu(self) -> None:
        from tui.screens.menu import Menu

        def copy(what: str | None) -> None:
            if what is not None:
                self.action_copy(what)

        hit = self.hit
        if hit is not None:
            there = {what: title for what, title in COPIES.items() if _copied(hit, what)}
            self.push_screen(Menu("Copy", there), copy)

    def copy(self, text: str) -> None:
        """Copy a text, and show it: whoever does not find it on the clipboard can select it."""
        self.copy_to_clipboard(text, self._tell_copied)

    def copy_to_clipboard(self, text: str, then: Callable[[str, bool], None] | None = None) -> None:
        """By the desktop's own program where there is one, and by the terminal (OSC 52), which does not answer.

        `then` is told whether it is certain that the text is on the clipboard.
        """
        super().copy_to_clipboard(text)
        command, told = clipboard_command(), partial(then or (lambda _text, _is_certain: None), text)
        if command is None:
            told(False)
        else:
            in_thread(lambda: self.hand_over(told, put_on_clipboard(command, text)))

    def _tell_copied(self, text: str, is_certain: bool) -> None:
        # A toast does not count the lines that it breaks within a word.
        shown = "\n".join(wrap(printable(text), max(20, self.size.width // 2 - 8), break_on_hyphens=False))
        if is_certain:
            self.notify(shown, title="Copied", timeout=6, markup=False)
        else:
            self.notify(f"{shown}\n{_UNCERTAIN}", title="Sent to the terminal's clipboard", timeout=12, markup=False)

    # Everywhere

    def get_key_display(self, binding: Binding) -> str:
        """A key as it is written in the last line and in the help."""
        return _KEYS.get(binding.key) or super().get_key_display(binding)

    def action_press(self, keys: str) -> None:
        """As if this key had been pressed: what a click on the last line does."""
        self.simulate_key(keys.split(",")[0])

    def action_help(self) -> None:
        self.push_screen(HelpScreen(groups(self.screen)))

    def action_details(self) -> None:
        from tui.screens.details import Details

        if self.last_error:
            self.push_screen(Details(self.last_error))
        else:
            self.notify("Nothing went wrong so far.", timeout=2)

    def action_next_theme(self) -> None:
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_next_image_mode(self) -> None:
        """Blocks and no pictures everywhere; Kitty graphics and sixels where they are known."""
        modes = list(dict.fromkeys((self.first_images, Mode.BLOCKS, Mode.NONE)))
        self.images = modes[(modes.index(self.images) + 1) % len(modes)]
        for screen in self.screen_stack:
            for picture in screen.query(Picture):
                picture.mode = self.images
            if isinstance(screen, FullView):
                screen.draw_anew()
        self.main.pane.draw_anew()
        self.tell_title()
        self.main.tell_specimen()

    def action_leave(self) -> None:
        """Leave; while a file is being written, or marks would be lost, only when asked twice."""
        lost = self._lost_by_leaving()
        if lost and not self._is_leaving:
            self._is_leaving = True
            self.notify(lost, severity="warning")
        else:
            self._end()

    def _lost_by_leaving(self) -> str:
        if self.exports_under_way:
            return "A file is being written. Press q again to leave it unfinished."
        if count := len(self.marks.keys() - self.exported):
            photos = "1 photo is" if count == 1 else f"{count:,} photos are"
            return f"{photos} marked and not exported (e does). Press q again to leave without."
        return ""

    def action_help_quit(self) -> None:
        """What Ctrl-C says, which copies."""
        self.notify("q leaves the program.")

    async def action_quit(self) -> None:
        """Leave at once, whatever is under way."""
        self._end()

    def _end(self) -> None:
        """With the status and the sentence of an error where no catalogue could be shown."""
        if self.catalogue is None and self.last_error:
            self.exit(return_code=2, message=Text(f"Error: {printable(self.last_error)}"))
        else:
            self.exit()

    def _leave_full_view(self) -> None:
        while self.screen is not self.main and len(self.screen_stack) > 1 and self.main in self.screen_stack:
            self.pop_screen()


def _copied(hit: Hit, what: str) -> str | None:
    """What is copied under a title of COPIES; None where the photo has none."""
    file, specimen = hit.photo.file, hit.specimen
    match what:
        case "path":
            return str(file)
        case "folder":
            return str(file.parent)
        case "file":
            return file.name
        case "stem":
            return file.stem
        case "number":
            return specimen.catalog_number
        case "name":
            return specimen.scientific_name or specimen.taxon.scientific_name
        case _:
            return specimen.occurrence_id
