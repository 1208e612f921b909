"""What the terminal application does with photos: thumbnails, full view, marks, copies, programs, suggestions."""

import csv
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from browsing import Held, browsing, in_loop, settled, shown_text, toasts, until
from PIL import Image
from textual.events import Paste
from textual.widgets import Input

from bioclip_search.catalogue import Catalogue
from bioclip_search.query import Hit
from bioclip_search.specimen import Photo, Specimen
from tui.app import BrowseApp
from tui.browsed import Suggested
from tui.completion import completions, dropped_path
from tui.desktop import clipboard_command, has_desktop, open_command, reveal_command
from tui.images import Mode, blocks
from tui.kept import Kept
from tui.lanes import Lane
from tui.named import key_of
from tui.question import Question
from tui.screens import image_prompt
from tui.screens.export_prompt import ExportPrompt
from tui.screens.full_view import FullView
from tui.screens.image_prompt import ImagePrompt
from tui.screens.suggestions import Suggestions
from tui.widgets import picture
from tui.widgets.captions import shortened_path
from tui.widgets.picture import Picture
from tui.widgets.specimen import SpecimenPane

BLOCKS = "▘▝▖▗▞▚▛▜▙▟"
"""What nothing but pictures is drawn with."""


@pytest.fixture
def own_drawer(drawer: Path, tmp_path: Path) -> Path:
    """A copy of the catalogue that a test may write to."""
    return Path(shutil.copytree(drawer, tmp_path / "drawer"))


@in_loop
async def test_a_hundred_thousand_results_cost_no_more_widgets(drawer: Path) -> None:
    """End and Home go to the last and the first, and the screen has few widgets."""
    async with browsing(drawer) as (app, pilot):
        assert app.main.hit is not None
        app.main.show_kept(Question(kept="many"), Kept([app.main.hit] * 100_000))
        view = app.main.pane.view
        await pilot.press("end")
        assert view.cursor == 99_999
        await pilot.press("home")
        assert view.cursor == 0
        assert len(list(app.screen.walk_children())) <= 40


@in_loop
async def test_thumbnails_are_read_near_the_screen_only(drawer: Path) -> None:
    """What is on the screen or a page from it is read, and what was left behind is not read again."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        catalogue, view = app.catalogue, app.main.pane.view
        assert isinstance(catalogue, Held)
        await until(pilot, lambda: catalogue.thumbnails_asked)
        page = len(view.on_screen)
        await pilot.press("end")
        await until(pilot, lambda: not any(view._is_missing(index) for index in view.on_screen))
        catalogue.thumbnails_asked.clear()
        await pilot.press("home", "end")
        await until(pilot, lambda: not any(view._is_missing(index) for index in view.on_screen))
        assert sum(len(keys) for keys in catalogue.thumbnails_asked) <= 4 * page


class Torn(Held):
    """An open catalogue in which one thumbnail is gone and one is damaged."""

    def thumbnails(self, keys: list[str]) -> dict[str, bytes]:
        found = super().thumbnails(keys)
        for of_tiles in [asked for asked in self.thumbnails_asked if len(asked) > 2][:1]:
            for key, damaged in zip(of_tiles, (b"", b"no picture"), strict=False):
                if len(keys) > 2 and key in found:
                    found[key] = damaged
        return found


@in_loop
async def test_what_cannot_be_drawn_is_said_in_its_tile(drawer: Path) -> None:
    """A photo without a thumbnail is “not found”, a damaged one “unreadable”; their neighbours are drawn."""
    async with browsing(drawer, open_catalogue=Torn.open) as (app, pilot):
        view = app.main.pane.view
        await until(pilot, lambda: "unreadable" in shown_text(app.main))
        await until(pilot, lambda: not any(view._is_missing(index) for index in view.on_screen))
        assert shown_text(app.main).count("not found") >= 1
        assert shown_text(app.main).count("unreadable") == 1
        assert app.last_error == ""


@in_loop
async def test_the_full_view_goes_on_and_comes_nearer(drawer: Path) -> None:
    """n and p go through the results, + shows a part, and the gallery's cursor comes along."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("enter")
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: screen._image is not None)
        await pilot.press("plus", "plus")
        assert screen.zoom == 4
        await pilot.press("n")
        assert screen.zoom == 1
        await pilot.press("right", "n", "left")
        await until(pilot, lambda: screen._image is not None)
        index = app.main.pane.view.cursor
        assert screen.hit == app.main.results.at(index)  # type: ignore[union-attr]
        await pilot.press("m", "escape")
        assert app.screen is app.main
        assert len(app.marks) == 1


@in_loop
async def test_a_photo_that_has_vanished_is_shown_small(own_drawer: Path, tmp_path: Path) -> None:
    """Where the original is gone the full view shows the thumbnail, and says where the file was."""
    catalogue = Catalogue.open(own_drawer)
    root = catalogue.roots()[0]
    catalogue.move({key: (str(tmp_path / "gone"), path) for key, _, path in catalogue.places_below(root)})
    async with browsing(own_drawer) as (app, pilot):
        await pilot.press("enter")
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: str(tmp_path / "gone")[:20] in shown_text(screen))  # type: ignore[arg-type]
        assert screen._image is not None


@in_loop
async def test_copying_tells_what_was_copied(drawer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """y and Y show what they copy, and claim nothing where a terminal may drop it; a message replaces the last."""
    monkeypatch.setenv("SSH_CONNECTION", "1")
    async with browsing(drawer) as (app, pilot):
        hit = app.main.hit
        assert hit is not None
        await pilot.press("y")
        assert app.clipboard == str(hit.photo.file)
        assert str(hit.photo.file) in toasts(app).replace("\n", "")
        assert "Copied" not in toasts(app)
        assert "select it here" in toasts(app)
        await pilot.press("Y")
        assert app.clipboard == hit.specimen.catalog_number
        assert len(app._notifications) == 1


@pytest.mark.skipif(os.name == "nt", reason="a script of a shell")
@pytest.mark.parametrize(("status", "said"), [(0, "Copied"), (1, "Sent to the terminal's clipboard")])
@in_loop
async def test_copied_is_what_the_desktop_took(
    drawer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    """Only where its program says so is a text called copied."""
    program = tmp_path / "wl-copy"
    program.write_text(f"#!/bin/sh\ncat > '{tmp_path}/clipboard'\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    for name in ("SSH_CONNECTION", "SSH_TTY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    async with browsing(drawer) as (app, pilot):
        await pilot.press("Y")
        await until(pilot, lambda: said in toasts(app))
        assert (tmp_path / "clipboard").read_text() in toasts(app).replace("\n", "")


@in_loop
async def test_programs_are_given_the_file_as_one_argument(drawer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """o and O call the opener with a list; over SSH the path is told instead."""
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("SSH_TTY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    calls: list[list[str]] = []
    async with browsing(drawer, opener=calls.append) as (app, pilot):
        hit = app.main.hit
        assert hit is not None
        await pilot.press("o", "O")
        assert calls == [open_command(hit.photo.file), reveal_command(hit.photo.file)]
        monkeypatch.setenv("SSH_CONNECTION", "1")
        await pilot.press("o")
        assert len(calls) == 2
        assert str(hit.photo.file) in toasts(app).replace("\n", "")


@pytest.mark.parametrize("name", ["two words.jpg", 'it\'s "quoted".jpg', "-rf.jpg", "$(touch x).jpg"])
def test_commands_for_programs_are_lists(name: str) -> None:
    """Blanks, quotes and dashes in a file name stay within one argument, which begins with the folder."""
    file = Path("/archive") / name
    for platform in ("linux", "darwin", "win32"):
        assert str(file) in open_command(file, platform)[-1]
        assert str(file.parent) in reveal_command(file, platform)[-1]


def test_a_desktop_is_not_on_the_other_side_of_ssh() -> None:
    """Windows and the clipboard of another computer are of no use."""
    assert has_desktop({"DISPLAY": ":0"}, "linux")
    assert not has_desktop({}, "linux")
    assert not has_desktop({"DISPLAY": ":0", "SSH_CONNECTION": "1"}, "linux")
    assert has_desktop({}, "darwin")
    assert clipboard_command({}, "darwin", lambda name: name) == ["pbcopy"]
    assert clipboard_command({"WAYLAND_DISPLAY": "w"}, "linux", lambda name: name) == ["wl-copy"]
    assert clipboard_command({"SSH_TTY": "/dev/pts/1"}, "darwin", lambda name: name) is None


@in_loop
async def test_marked_photos_are_gathered_and_exported(drawer: Path, tmp_path: Path) -> None:
    """m marks, M shows what is marked, e writes it; marks outlive a search."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "right", "right", "m")
        marked = {hit.photo.path for hit in app.marks.values()}
        assert len(marked) == 2
        assert "2 marked" in shown_text(app.main)
        await pilot.press("M")
        assert app.main.results is not None
        assert app.main.results.count == 2
        await pilot.press("e")
        await until(pilot, lambda: app.focused is not None and app.screen is not app.main)
        app.focused.value = str(tmp_path / "out.csv")  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: "Wrote 2 photos" in toasts(app))
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
            assert {row["path"] for row in csv.DictReader(stream)} == marked
        await pilot.press("backspace")
        assert app.main.results.count > 2


@pytest.mark.parametrize(
    ("keys", "pasted", "value"),
    [
        (("slash",), "blue \x1b[31mwing\x07\n\tdorsal", "blue [31mwing dorsal"),
        (("t", "f"), "Mor\x00pho\r\n", "Mor pho"),
        (("I",), "/a  b/\x1b]0;own\x07.jpg\n", "/a  b/?]0;own?.jpg"),
        (("m", "e"), "x  \x9by", "x  ?y"),
        (("slash",), "\t blue  wing  ", " blue wing "),
        (("slash",), "  ", " "),
    ],
)
@in_loop
async def test_what_is_pasted_has_no_control_codes(
    drawer: Path, keys: tuple[str, ...], pasted: str, value: str
) -> None:
    """Words become one line; in a path each blank stays, and a control code is seen."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.focused, Input))
        box = app.focused
        assert isinstance(box, Input)
        box.value = ""
        box.post_message(Paste(pasted))
        await until(pilot, lambda: box.value == value)
        await pilot.press("escape")


@in_loop
async def test_a_box_takes_no_more_than_it_can_measure(drawer: Path) -> None:
    """A book that is pasted by mistake does not make every key wait; the beginning is searched for."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("slash", "a", " ")
        box = app.focused
        assert isinstance(box, Input)
        box.post_message(Paste("blue wing " * 100_000))
        await until(pilot, lambda: len(box.value) == 1_000)
        await pilot.press("x")
        assert box.value.startswith("a blue wing")
        assert len(box.value) == 1_000
        await pilot.press("enter")
        await until(pilot, lambda: app.main.question.words == box.value.strip())


@in_loop
async def test_what_is_typed_takes_the_place_of_the_name(drawer: Path) -> None:
    """The folder and the ending of the file to export to stay."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "e")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"moths")
        assert app.focused.value == str(Path.cwd() / "moths.csv")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "width", "shown"),
    [
        ("a/b.jpg", 7, "a/b.jpg"),
        ("drawer 12/Lycaenidae/IMG_0417.jpg", 24, "drawer 12/…/IMG_0417.jpg"),
        ("drawer 12/Lycaenidae/IMG_0417.jpg", 12, "IMG_0417.jpg"),
        ("drawer 12/IMG_0417.jpg", 8, "…417.jpg"),
    ],
)
def test_a_path_is_shortened_before_the_name_of_the_file(path: str, width: int, shown: str) -> None:
    """The name tells most, and its end most of all."""
    assert shortened_path(path, width) == shown


@in_loop
async def test_the_title_of_the_full_view_keeps_file_and_place(drawer: Path) -> None:
    """In 60 columns a long name gives way to the file and to where the photo stands; a note has lines of its own."""
    async with browsing(drawer, size=(60, 20)) as (app, pilot):
        hit = app.main.hit
        assert hit is not None
        name = {"scientificName": "Coccinella septempunctata septempunctata Linnaeus, 1758 [sic]"}
        path = "expedition of 1911/drawer 12/Coccinellidae/IMG_0417.jpg"
        photo = replace(hit.photo, root="/nowhere", path=path, specimen=Specimen(hit.taxon, name))
        app.main.show_kept(Question(kept="one"), Kept([Hit(photo, None)]))
        await pilot.press("enter", "m")
        await until(pilot, lambda: "relocate" in shown_text(app.screen))
        lines = shown_text(app.screen).splitlines()
        assert "IMG_0417.jpg · 1 of 1 · ✓ marked" in lines[0]
        note = " ".join("".join(line.ljust(60) for line in lines[1:5]).split())
        assert note.replace(" ", "").startswith("Thefile/nowhere/expeditionof1911/drawer12/Coccinellidae/IMG_0417.jpg")
        assert "where its folder is now." in note


@in_loop
async def test_search_by_a_dropped_picture(drawer: Path) -> None:
    """A quoted path that the terminal pastes is taken as it is meant; a file that is not there is refused."""
    async with browsing(drawer) as (app, pilot):
        hit = app.main.hit
        assert hit is not None
        await pilot.press("I")
        prompt = app.screen
        assert isinstance(prompt, ImagePrompt)
        await pilot.press(*"/nowhere.jpg", "enter")
        assert "There is no file /nowhere.jpg" in shown_text(prompt)  # type: ignore[arg-type]
        await pilot.press("escape", "I")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.focused.post_message(Paste(f"'{hit.photo.file}'\n"))
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: app.main.question.picture == str(hit.photo.file))
        assert app.main.hit is not None
        assert app.main.hit.score == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("'/a b/c.jpg'", "/a b/c.jpg"),
        ('"/a b/c.jpg" ', "/a b/c.jpg"),
        ("/a\\ b/c.jpg", "/a b/c.jpg"),
        ("file:///a%20b/c.jpg", "/a b/c.jpg"),
        ("/plain.jpg", "/plain.jpg"),
        ("'", ""),
    ],
)
def test_dropped_paths(text: str, path: str) -> None:
    """Whatever quotes a terminal puts around a dropped file are taken off."""
    assert dropped_path(text) == path


def test_paths_are_completed_with_folders_and_pictures(tmp_path: Path) -> None:
    """Folders come first; what is no picture, hidden, or has control codes in its name is left out."""
    for name in ("b.jpg", "a.txt", ".hidden.jpg", "C.PNG", "\x1b[31m.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "below").mkdir()
    shown = [Path(path).name for path in completions(f"{tmp_path}/")]
    assert shown == ["below", "b.jpg", "C.PNG"]
    assert completions(f"{tmp_path}/b") == [f"{tmp_path}/below/", f"{tmp_path}/b.jpg"]
    assert completions(f"{tmp_path}/none/x") == []


@in_loop
async def test_suggestions_are_reviewed_beside_the_determination(own_drawer: Path) -> None:
    """Identifying suggests a taxon, accepting it is kept with the reviewer, and the record is what it was."""
    async with browsing(own_drawer) as (app, pilot):
        hit = app.main.hit
        assert hit is not None
        await pilot.press("u")
        screen = app.screen
        assert isinstance(screen, Suggestions)
        await pilot.press("i")
        await until(pilot, lambda: screen.shown)
        suggested = screen.shown[0]
        if suggested.suggestion.taxon.scientific_name is None:
            pytest.skip("the small model is sure of no rank")
        await pilot.press("a")
        await until(pilot, lambda: screen.shown[0].review is not None)
        assert screen.shown[0].review.verdict == "accepted"
    photo = Catalogue.open(own_drawer).photos_by_id([key_of(hit)])[key_of(hit)]
    assert photo.specimen == hit.specimen


@in_loop
async def test_the_list_shows_the_same(drawer: Path) -> None:
    """v changes between gallery and list; cursor and marks stay."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("right", "m", "v")
        await until(pilot, lambda: "list" in str(app.main.pane.border_title))
        assert app.main.pane.view.cursor == 1
        assert app.focused is app.main.pane.view
        assert app.main.hit is not None
        assert key_of(app.main.hit) in app.main.pane.view.marked
        await pilot.press("down", "v")
        assert app.main.pane.view.cursor == 2


@in_loop
async def test_a_list_without_scores_has_no_column_for_them(drawer: Path) -> None:
    """A plain listing has none; photos that are similar to one have."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: "catalogue no." in shown_text(app.main))
        assert "score" not in shown_text(app.main)
        await pilot.press("s")
        await until(pilot, lambda: re.search(r"score +catalogue no\.", shown_text(app.main)))


@in_loop
async def test_text_of_records_is_never_markup(drawer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets in a name stay brackets, control codes do not reach the terminal."""
    monkeypatch.setenv("SSH_CONNECTION", "1")
    async with browsing(drawer) as (app, pilot):
        hit = app.main.hit
        assert hit is not None
        terms = {**hit.specimen.terms, "locality": "[red]Bog[/red] \x1b[31m", "scientificName": "[b]Aus[/b]"}
        odd = Hit(replace(hit.photo, specimen=replace(hit.specimen, terms=terms), path="a/[link]x.jpg"), None)
        app.main.show_kept(Question(kept="odd"), Kept([odd]))
        pane = app.main.query_one(SpecimenPane)
        await until(pilot, lambda: "[red]Bog[/red] ?[31m" in pane.text.replace("\n           ", " "))
        assert "[b]Aus[/b]" in pane.text
        await pilot.press("m", "y")
        assert "[link]x.jpg" in toasts(app).replace("\n", "")
        assert isinstance(app, BrowseApp)


class Late(Held):
    """An open catalogue that reads pictures and suggestions when the test lets it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gate = Event()
        self.asked_of: list[str] = []

    def _wait(self, what: str) -> None:
        self.asked_of.append(what)
        assert self.gate.wait(60)

    def picture(self, photo: Photo, longest: int) -> Image.Image:
        self._wait(photo.path)
        return super().picture(photo, longest)

    def suggestions(self, key: str) -> list[Suggested]:
        self._wait(key)
        return super().suggestions(key)


@pytest.mark.parametrize("opens", ["enter", "u"])
@in_loop
async def test_an_answer_to_a_closed_screen_is_dropped(drawer: Path, opens: str) -> None:
    """A picture or suggestions that come after Esc change nothing, and the program goes on."""
    async with browsing(drawer, open_catalogue=Late.open) as (app, pilot):
        catalogue = app.catalogue
        assert isinstance(catalogue, Late)
        await pilot.press(opens)
        await until(pilot, lambda: app.screen is not app.main)
        screen = app.screen
        await until(pilot, lambda: catalogue.asked_of)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.is_running)
        catalogue.gate.set()
        answered: list[bool] = []
        app.in_lane(app.specimen if opens == "enter" else app.others, lambda _: True, answered.append)
        await until(pilot, lambda: answered)
        assert app.screen is app.main
        assert app.last_error == ""


@in_loop
async def test_paths_for_a_closed_prompt_are_dropped(drawer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk that answers after Esc harms nothing."""
    gate, done = Event(), Event()

    def slow(typed: str) -> list[str]:
        assert gate.wait(60)
        return completions(typed)

    monkeypatch.setattr(image_prompt, "completions", slow)
    async with browsing(drawer) as (app, pilot):
        await pilot.press("I")
        await until(pilot, lambda: app.screen is not app.main)
        prompt = app.screen
        assert isinstance(prompt, ImagePrompt)
        await pilot.press("escape")
        await until(pilot, lambda: not prompt.is_running)
        prompt._lane.do(done.set)
        gate.set()
        await until(pilot, done.is_set)
        assert app.screen is app.main
        assert prompt.paths == []


@in_loop
async def test_a_name_too_long_for_a_file_is_refused(drawer: Path, tmp_path: Path) -> None:
    """Where no file can be, the prompt stays open and the program goes on."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "e")
        await until(pilot, lambda: isinstance(app.screen, ExportPrompt) and isinstance(app.focused, Input))
        app.focused.value = str(tmp_path / ("a" * 300) / "b.csv")  # type: ignore[union-attr]
        await pilot.press("enter")
        assert isinstance(app.screen, ExportPrompt)
        assert "There is no folder" in shown_text(app.screen)


@in_loop
async def test_a_specimen_does_not_take_the_full_views_turn(drawer: Path) -> None:
    """n twice while a picture is read, and the specimen asked for in between, show the last one at the end."""
    async with browsing(drawer, open_catalogue=Late.open) as (app, pilot):
        catalogue = app.catalogue
        assert isinstance(catalogue, Late)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is not app.main)
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: catalogue.asked_of)
        await pilot.press("n", "n")
        app.main.tell_specimen()
        await pilot.pause()
        catalogue.gate.set()
        await until(pilot, lambda: screen._image is not None)
        assert screen.hit == app.main.results.at(2)  # type: ignore[union-attr]


@in_loop
async def test_the_full_view_is_small_at_once_and_then_sharp(drawer: Path) -> None:
    """The thumbnail is there while the original is read, and stays as near as it was brought."""
    async with browsing(drawer, open_catalogue=Late.open) as (app, pilot):
        catalogue = app.catalogue
        assert isinstance(catalogue, Late)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullView))
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: screen._image is not None and any(sign in shown_text(screen) for sign in BLOCKS))
        small = screen._image
        assert small is not None
        await pilot.press("plus")
        catalogue.gate.set()
        await until(pilot, lambda: screen._image is not small)
        assert screen._image is not None
        assert screen._image.width > small.width
        assert screen.zoom == 2


@in_loop
async def test_pictures_that_were_overtaken_are_not_read(drawer: Path) -> None:
    """n four times reads the original of the last one, beside the one that was under way."""
    async with browsing(drawer, open_catalogue=Late.open) as (app, pilot):
        catalogue, results = app.catalogue, app.main.results
        assert isinstance(catalogue, Late)
        assert results is not None
        await pilot.press("enter")
        await until(pilot, lambda: catalogue.asked_of)
        await pilot.press("n", "n", "n", "n")
        catalogue.gate.set()
        await until(pilot, lambda: len(catalogue.asked_of) == 2)
        hits = [results.at(index) for index in (0, 4)]
        assert catalogue.asked_of == [hit.photo.path for hit in hits if hit]


@in_loop
async def test_a_picture_is_drawn_beside_the_keys(drawer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is being drawn keys are answered, and what was zoomed past is not drawn."""
    gate, drawn = Event(), []

    def slow(image: Image.Image, *room: Any) -> Any:
        assert gate.wait(60)
        drawn.append(image.size)
        return blocks(image, *room)

    monkeypatch.setattr(picture, "blocks", slow)
    async with browsing(drawer) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullView))
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: screen._image is not None and screen.lane.is_free)
        await pilot.press("plus", "plus", "plus")
        assert "8×" in shown_text(screen)
        gate.set()
        await until(pilot, lambda: any(sign in shown_text(screen) for sign in BLOCKS))
        await until(pilot, lambda: screen.query_one(Picture)._rows and len(drawn) > 1)
        assert len({size for size in drawn if size[0] < 100}) <= 2


@in_loop
async def test_without_pictures_there_are_words(drawer: Path) -> None:
    """--images none draws nothing anywhere and reads no picture; i draws them after all."""
    async with browsing(drawer, open_catalogue=Late.open, images=Mode.NONE) as (app, pilot):
        catalogue, view = app.catalogue, app.main.pane.view
        assert isinstance(catalogue, Late)
        catalogue.gate.set()
        await until(pilot, lambda: not any(view._is_missing(index) for index in view.on_screen))
        await until(pilot, lambda: "Indexed" in app.main.query_one(SpecimenPane).text)
        assert "no picture" in shown_text(app.main)
        assert app.main.query_one(SpecimenPane).picture.size.height == 1
        assert not any(sign in shown_text(app.main) for sign in BLOCKS)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullView))
        await pilot.press("n")
        assert "no pictures" in shown_text(app.screen)
        assert not any(sign in shown_text(app.screen) for sign in BLOCKS)
        assert catalogue.asked_of == catalogue.thumbnails_asked == []
        await pilot.press("i")
        await until(pilot, lambda: any(sign in shown_text(app.screen) for sign in BLOCKS))


@in_loop
async def test_another_way_of_drawing_changes_nothing_else(drawer: Path) -> None:
    """i in the full view leaves the photo as near as it was, and does not read it again."""
    async with browsing(drawer, open_catalogue=Late.open) as (app, pilot):
        catalogue = app.catalogue
        assert isinstance(catalogue, Late)
        catalogue.gate.set()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullView))
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: catalogue.asked_of)
        await settled(pilot, screen.lane)
        await pilot.press("plus", "plus", "down", "i")
        await until(pilot, lambda: "no pictures" in shown_text(screen))
        await pilot.press("i")
        await until(pilot, lambda: any(sign in shown_text(screen) for sign in BLOCKS))
        await settled(pilot, screen.lane)
        assert (screen.zoom, screen._middle) == (4, (0.5, 0.5625))
        assert len(catalogue.asked_of) == 1


@in_loop
async def test_the_full_view_acts_on_the_photo_it_shows(drawer: Path) -> None:
    """Results that come under it change neither its photo nor what m marks, and n goes on in its own."""
    async with browsing(drawer) as (app, pilot):
        results = app.main.results
        assert results is not None
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is not app.main)
        screen = app.screen
        assert isinstance(screen, FullView)
        await until(pilot, lambda: screen._image is not None)
        hit, other = screen.hit, results.at(3)
        assert hit is not None
        assert other is not None
        app.main.show_kept(Question(kept="other"), Kept([other]))
        await pilot.press("m")
        assert list(app.marks) == [key_of(hit)]
        await pilot.press("n")
        assert screen.hit == results.at(1)
        assert app.main.pane.view.cursor == 0


@in_loop
async def test_another_specimen_is_never_beside_the_former_picture(drawer: Path) -> None:
    """Until the picture of the record has come, the pane says that it is loading."""
    async with browsing(drawer) as (app, pilot):
        pane, results = app.main.query_one(SpecimenPane), app.main.results
        await until(pilot, lambda: pane.picture._picture is not None)
        other = results.at(1)  # type: ignore[union-attr]
        pane.show(other, "")
        assert pane.picture._picture is None
        assert pane.picture._state == "loading…"


@in_loop
async def test_reviewing_one_suggestion_leaves_the_others(own_drawer: Path) -> None:
    """A suggestion that was just made stays when another is reviewed."""
    async with browsing(own_drawer) as (app, pilot):
        await pilot.press("u")
        await until(pilot, lambda: app.screen is not app.main)
        screen = app.screen
        assert isinstance(screen, Suggestions)
        await pilot.press("i")
        await until(pilot, lambda: screen.shown)
        fresh = screen.shown[0]
        if fresh.suggestion.taxon.scientific_name is None:
            pytest.skip("the small model is sure of no rank")
        older = replace(fresh, suggestion=replace(fresh.suggestion, suggestion_id="older"))
        screen.put([fresh, older])
        await pilot.press("down", "r")
        await until(pilot, lambda: screen.shown[-1].review is not None)
        assert screen.shown[0] == fresh
        assert len(screen.shown) == 2


def test_a_lane_outlives_a_job_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked after an error is done."""
    lane, gate, done, reported = Lane(), Event(), Event(), Event()
    monkeypatch.setattr("threading.excepthook", lambda _: reported.set())

    def fails() -> None:
        assert gate.wait(60)
        raise RuntimeError

    lane.do(fails)
    lane.do(done.set)
    gate.set()
    assert done.wait(60)
    assert reported.wait(60)  # by its own thread, which may be the later of the two
