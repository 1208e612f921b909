"""The terminal UI: what it makes of a dropped file, a mistyped name, a file that cannot be written."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from browsing import browsing, highlighted_command, in_loop, shown_text, until
from textual.events import Paste
from textual.widgets import Input, OptionList, Static

from bioclip_search.taxonomy import Rank
from tui.completion import dropped_file
from tui.screens.export_prompt import ExportPrompt
from tui.screens.full_view import FullView
from tui.widgets.key_line import KeyLine
from tui.widgets.search_bar import SearchBar
from tui.widgets.taxa_pane import TaxaPane


def _a_photo(drawer: Path) -> Path:
    return next((drawer.parent / "photos").rglob("*.jpg"))


@in_loop
async def test_a_file_dropped_on_the_results_is_searched_by(drawer: Path) -> None:
    """As a terminal pastes it: quoted, or as an address. Other text is not."""
    photo = _a_photo(drawer)
    async with browsing(drawer) as (app, pilot):
        app.main.pane.view.post_message(Paste("blue wing"))
        app.main.pane.view.post_message(Paste(str(photo.with_name("nothing.jpg"))))
        app.main.pane.view.post_message(Paste(f"'{photo}'"))
        await until(pilot, lambda: app.main.question.picture == str(photo))
        assert [visit.question.picture for visit in app.main.past.visits] == [None, str(photo)]


@pytest.mark.parametrize("form", ["{}", "'{}'", "file://{}"])
@in_loop
async def test_a_path_typed_in_the_search_box_is_searched_by(drawer: Path, form: str) -> None:
    """With Enter: meanwhile nothing is searched for."""
    photo = _a_photo(drawer)
    async with browsing(drawer) as (app, pilot):
        app.main.query_one(SearchBar).pause = 0
        await pilot.press("slash")
        app.focused.value = form.format(photo)  # type: ignore[union-attr]
        await pilot.pause(0.1)
        assert app.main.asked is None
        await pilot.press("enter")
        await until(pilot, lambda: app.main.question.picture == str(photo))
        assert app.main.question.words == ""
        assert app.main.query_one(SearchBar).input.value == ""


@pytest.mark.parametrize(
    "text", ["file://[abc/x.jpg", "~\0/x.jpg", "~\ud800/x.jpg", "'/x.jpg", "", "x.jpg", "/no/x.jpg"]
)
def test_what_is_no_path_of_a_picture_is_none(text: str) -> None:
    """Whatever it is."""
    assert dropped_file(text) is None


@pytest.mark.parametrize("name", ["it's (1).jpg", "a  b.jpg", "50%#1?.jpg"])
def test_a_dropped_picture_is_known_by_any_name(tmp_path: Path, name: str) -> None:
    """As it is, quoted, escaped, or as an address."""
    photo = tmp_path / name
    photo.touch()
    for form in (str(photo), shlex.quote(str(photo)), re.sub(r"([^\w/.-])", r"\\\1", str(photo)), photo.as_uri()):
        assert dropped_file(form) == str(photo)


@in_loop
async def test_a_picture_dropped_on_the_search_box_is_searched_by(drawer: Path, tmp_path: Path) -> None:
    """With every blank in its name."""
    photo = Path(shutil.copy(_a_photo(drawer), tmp_path / "a  b.jpg"))
    async with browsing(drawer) as (app, pilot):
        await pilot.press("slash")
        app.main.query_one(SearchBar).input.post_message(Paste(str(photo)))
        await until(pilot, lambda: app.main.question.picture == str(photo))


@in_loop
async def test_a_path_of_nothing_is_told(drawer: Path) -> None:
    """Typed or dropped; it is not searched for as words."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("slash", *"/moth", "enter")
        await until(pilot, lambda: "There is no picture /moth." in shown_text(app.main))
        assert app.main.asked is None
        app.main.pane.view.post_message(Paste("/no/wing.jpg"))
        await until(pilot, lambda: "There is no picture /no/wing.jpg." in shown_text(app.main))


@in_loop
async def test_a_whole_path_can_be_typed_over_the_name_to_export_to(drawer: Path, tmp_path: Path) -> None:
    """Its folder and its ending are those of the path, not of what was there."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "e")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.focused.post_message(Paste(str(tmp_path / "own.csv")))  # type: ignore[union-attr]
        await until(pilot, lambda: "own" in app.focused.value)  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "own.csv").exists())


@in_loop
async def test_an_ending_that_is_typed_with_the_name_is_the_ending(
    drawer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one of the former name is behind it still; one that nothing can be written as is told."""
    monkeypatch.chdir(tmp_path)
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "e")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"hits.Parquet", "enter")
        await until(pilot, lambda: (tmp_path / "hits.Parquet").exists())
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ExportPrompt) and isinstance(app.focused, Input))
        await pilot.press("end", *["backspace"] * len("csv"), *"xlsx", "enter")
        await until(pilot, lambda: "Nothing is written as .xlsx" in shown_text(app.screen))
        await pilot.press(*["backspace"] * len("xlsx"), *"jsonl", "enter")
        await until(pilot, lambda: (tmp_path / "marked.jsonl").exists())


@in_loop
async def test_what_is_typed_again_has_the_ending_of_before(drawer: Path, tmp_path: Path) -> None:
    """And where another one is typed, that one: the file of an export that failed is asked for anew."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m")
        app.ask_for_export(tmp_path / "hits.parquet", "The disk is full.")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"own.csv", "enter")
        await until(pilot, lambda: (tmp_path / "own.csv").exists())


@in_loop
async def test_marks_are_taken_away_together(drawer: Path) -> None:
    """By the palette, once there are some."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "right", "m")
        assert "2 marked" in shown_text(app.main)
        await pilot.press("ctrl+p", *"unmark all")
        await until(pilot, lambda: "Unmark all photos" in highlighted_command(app))
        await pilot.press("enter")
        await until(pilot, lambda: not app.marks)
        assert "✓" not in shown_text(app.main)
        assert "marked" not in shown_text(app.main)


@in_loop
async def test_arrows_move_about_in_a_part_that_is_shown_larger(drawer: Path) -> None:
    """And go from photo to photo where all of it is shown."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("enter", "right")
        await until(pilot, lambda: "2 of 126" in shown_text(app.screen))
        await pilot.press("plus", "right")
        assert isinstance(app.screen, FullView)
        assert "2 of 126 · 2× (arrows move)" in shown_text(app.screen)
        assert app.screen._middle[0] > 0.5


@in_loop
async def test_a_mistyped_taxon_is_found_by_what_is_like_it(drawer: Path) -> None:
    """The likest first, and it is said that none has that name."""
    async with browsing(drawer) as (app, pilot):
        pane = app.main.query_one(TaxaPane)
        await pilot.press("f", *"Danuas")
        await until(pilot, lambda: pane._words == "Danuas")
        assert [branch.name for branch in pane._found][:1] == ["Danaus"]
        assert "none; did you mean" in shown_text(app.main)
        await pilot.press("enter")
        await until(pilot, lambda: app.main.question.taxon_name == "Danaus")
        await pilot.press("f", *"zzzzzz")
        await until(pilot, lambda: pane._words == "zzzzzz")
        assert pane.query_one(OptionList).option_count == 0
        assert "did you mean" not in shown_text(app.main)


@in_loop
async def test_escape_takes_the_rank_back(drawer: Path) -> None:
    """After the search and the taxon."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("R")
        await until(pilot, lambda: app.main.question.determined_to is Rank.SPECIES)
        await pilot.press("escape")
        await until(pilot, lambda: app.main.question.determined_to is None)


@in_loop
async def test_keys_for_marks_are_shown_while_there_are_marks(drawer: Path) -> None:
    """Export and the marked photos; not in the search box, where they are letters."""
    async with browsing(drawer) as (app, pilot):
        line = app.main.query_one(KeyLine)
        assert "m Mark" in line.text
        assert "Export" not in line.text
        await pilot.press("m")
        assert "e Export" in line.text
        assert "M Marked" in line.text
        await pilot.press("slash")
        assert "Export" not in line.text
        await pilot.press("escape", "m")
        assert "Export" not in line.text


@in_loop
async def test_an_export_that_fails_asks_for_another_file(drawer: Path, tmp_path: Path) -> None:
    """With the path that was typed, and why it cannot be."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("m", "e")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.focused.value = str(drawer.parent / "photos" / "out.csv")  # type: ignore[union-attr]
        first = app.screen
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExportPrompt) and app.screen is not first)
        assert app.screen.query_one(Input).value == str(drawer.parent / "photos" / "out.csv")
        hint = str(app.screen.query_one("#prompt-hint", Static).render())
        assert "is in the folder of photos" in hint
        app.screen.query_one(Input).value = str(tmp_path / "out.csv")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "out.csv").exists())
