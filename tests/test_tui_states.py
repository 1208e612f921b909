"""What the terminal application says where there is nothing to show, or something is wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from browsing import Held, browsing, highlighted_command, in_loop, settled, shown_text, until
from helpers import Command, write_model

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UsageError
from tui.app import BrowseApp
from tui.browsed import BrowsedCatalogue
from tui.config import Config, read_config
from tui.keymap import require_keys
from tui.screens.notice import Notice
from tui.widgets.banner import Banner
from tui.widgets.key_line import KeyLine
from tui.widgets.title_line import TitleLine


@pytest.mark.parametrize(("kind", "leaves"), [("absent", "q"), ("absent", "ctrl+q"), ("damaged", "enter")])
@in_loop
async def test_no_catalogue_is_a_sentence_with_a_remedy(tmp_path: Path, kind: str, leaves: str) -> None:
    """Where there is none, or one that cannot be read, a notice says so; who leaves has an error's status."""
    folder = tmp_path / "catalogue"
    if kind == "damaged":
        (folder / "photos.lance" / "_versions").mkdir(parents=True)
        (folder / "photos.lance" / "_versions" / "1.manifest").write_bytes(b"no manifest")
    app = BrowseApp(lambda: BrowsedCatalogue.open(folder), folder=folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Notice))
        assert isinstance(app.screen, Notice)
        assert "index" in app.screen.sentence
        assert str(folder) in app.screen.sentence
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Notice))
        await pilot.press(leaves)
    assert app.return_code == 2


@in_loop
async def test_the_first_screen_waits_for_nothing(drawer: Path) -> None:
    """Keys, title and panes are there while the catalogue is still being opened."""
    gate = Event()

    def open_late() -> BrowsedCatalogue:
        assert gate.wait(60)
        return BrowsedCatalogue.open(drawer)

    app = BrowseApp(open_late, folder=drawer)
    async with app.run_test(size=(120, 40)) as pilot:
        assert "Reading the catalogue…" in shown_text(app.screen)
        assert "Search" in app.main.query_one(KeyLine).text
        await pilot.press("slash", "s", "escape", "s", "enter", "u", "e", "y", "d", "v", "S", "escape", "backspace")
        gate.set()
        await until(pilot, lambda: app.main.hit is not None)


@in_loop
async def test_another_model_stops_searches_and_not_browsing(drawer: Path, tmp_path: Path) -> None:
    """A catalogue of another model says so in the banner; taxa and similar photos go on."""
    other = write_model(tmp_path / "other", seed=5)

    def open_with_other(folder: Path) -> BrowsedCatalogue:
        return BrowsedCatalogue.open(folder, model=str(other))

    async with browsing(drawer, open_catalogue=open_with_other) as (app, pilot):
        await until(pilot, lambda: app.main.query_one(Banner).display)
        assert "was built with" in " ".join(shown_text(app.main).split())
        await pilot.press("slash", *"moth", "enter")
        assert app.main.query_one(Banner).display
        assert (app.main.asked, app.main.question.words) == (None, "")
        app.main.pane.view.focus()
        await pilot.press("s")
        await until(pilot, lambda: app.main.question.like is not None)


@in_loop
async def test_no_match_says_what_could_be_done(drawer: Path) -> None:
    """A search that nothing comes near enough to names the way out."""
    async with browsing(drawer) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: app.main.question.like is not None)
        for step in range(1, 21):
            await pilot.press("right_square_bracket")
            await until(pilot, lambda least=step * 0.05: app.main.question.least == pytest.approx(least))  # type: ignore[misc]
        assert app.main.results is not None
        assert app.main.results.count == 0
        assert "[ lowers the score" in shown_text(app.main)
        await pilot.press("left_square_bracket", "backspace")


@in_loop
async def test_a_slow_search_tells_the_seconds(drawer: Path) -> None:
    """After two seconds the line says how long it has taken so far."""
    async with browsing(drawer, open_catalogue=Held.open) as (app, pilot):
        catalogue = app.catalogue
        assert isinstance(catalogue, Held)
        gate = catalogue.hold("slow")
        await pilot.press("slash", *"slow", "enter")
        await until(pilot, lambda: "searching… 2 s" in shown_text(app.main))
        gate.set()
        await until(pilot, lambda: app.main.question.words == "slow")


@in_loop
async def test_a_catalogue_that_was_written_to_says_so(drawer: Path, tmp_path: Path) -> None:
    """A sign in the first line names the key that reads it again; then it is gone."""
    folder = Path(shutil.copytree(drawer, tmp_path / "drawer"))
    async with browsing(folder, config=Config(keys={"reload": "f5"})) as (app, pilot):
        line, catalogue = app.main.query_one(TitleLine), app.catalogue
        app.look_for_changes()
        await settled(pilot, app.changes)
        assert "changed" not in line.text
        other = Catalogue.open(folder)
        other.remove([next(iter(other.places_below(other.roots()[0])))[0]])
        app.look_for_changes()
        await until(pilot, lambda: "catalogue changed · f5 reads it" in line.text)
        await pilot.press("f5")
        await until(pilot, lambda: app.catalogue is not catalogue and app.main.asked is None)
        assert "changed" not in line.text
        assert "125 photos" in line.text


class Lagging(Held):
    """An open catalogue that says so late that it has changed, if it `lags`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lags = False
        self.gate = Event()

    def is_changed(self) -> bool:
        return self.lags and self.gate.wait(60)


@in_loop
async def test_a_late_answer_of_the_former_catalogue_is_no_sign(drawer: Path) -> None:
    """What was asked before the catalogue was read again is not told of the one that was read."""
    async with browsing(drawer, open_catalogue=Lagging.open) as (app, pilot):
        former = app.catalogue
        assert isinstance(former, Lagging)
        former.lags = True
        app.look_for_changes()
        await pilot.press("r")
        await until(pilot, lambda: app.catalogue is not former and app.main.asked is None)
        former.gate.set()
        await settled(pilot, app.changes)
        assert "changed" not in app.main.query_one(TitleLine).text


def test_settings_are_read_and_wrong_ones_refused(tmp_path: Path) -> None:
    """A file of settings that cannot be understood is told of in one sentence."""
    file = tmp_path / "config.toml"
    assert read_config(file) == Config()
    file.write_text('[browse]\ntheme = "light"\nmouse = false\n[browse.keys]\nsearch-text = "ctrl+f"\n')
    assert read_config(file) == Config(theme="light", mouse=False, keys={"search-text": "ctrl+f"})
    for wrong in (
        '[browse]\ntheme = "pink"',
        "[browse]\nmouse = 1",
        "[browse]\ncolour = 1",
        "browse = 1",
        "[browse",
        "[browse.keys]\na = 1",
    ):
        file.write_text(wrong)
        with pytest.raises(UsageError, match="settings"):
            read_config(file)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('serach-text = "ctrl+f"', "no “serach-text” among the keys; perhaps “search-text” was meant"),
        ('qqqqqq = "ctrl+f"', "no “qqqqqq” among the keys; the help (?) tells"),
        ('search-text = "contrl+f"', "no key “contrl+f” for “search-text”; perhaps “ctrl+f” was meant"),
        ('search-text = "/, slahs"', "no key “slahs” for “search-text”; perhaps “slash” was meant"),
        ('search-text = "ctrl+"', "no key “ctrl+” for “search-text”"),
    ],
)
def test_keys_that_would_change_nothing_are_refused(
    run: Command, drawer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    """An unknown action or key is one sentence with the nearest that there is, before anything is shown."""
    file = tmp_path / "config.toml"
    file.write_text(f"[browse.keys]\n{line}\n", encoding="utf-8")
    monkeypatch.setenv("BIOCLIP_SEARCH_CONFIG", str(file))
    result = run("browse", "--catalogue", drawer)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert str(file) in result.err


@pytest.mark.parametrize("key", ["x", "+", "ä", "slash", "ctrl+f", "f5,F", "alt+left", "ctrl+shift+x", "space", "plus"])
def test_keys_that_there_are_are_taken(key: str) -> None:
    """Characters, names, and both with modifiers."""
    require_keys({"search-text": key, "hits-up": key}, Path("config.toml"))


_PROBE = """
import sys
import tui.app
print(*(name for name in ("torch", "open_clip", "lancedb", "pyarrow", "pandas") if name in sys.modules))
"""


def test_the_application_imports_nothing_heavy() -> None:
    """What the first screen needs is neither LanceDB nor a model."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split() == []


@in_loop
async def test_browsing_and_similar_photos_load_no_model(drawer: Path) -> None:
    """Only words need the model; it is loaded once the search box is entered."""
    async with browsing(drawer) as (app, pilot):
        catalogue = app.catalogue
        assert catalogue is not None
        await pilot.press("s")
        await until(pilot, lambda: app.main.question.like is not None)
        assert not catalogue.model_ready()
        await pilot.press("slash")
        await until(pilot, catalogue.model_ready)


@in_loop
async def test_the_palette_offers_what_can_be_done_now(drawer: Path) -> None:
    """It leads from the gallery to the list, and then back, and never offers both."""
    from tui.commands import Commands

    async with browsing(drawer) as (app, pilot):

        async def titles() -> list[str]:
            provider = Commands(app.screen)
            return [title async for title, _, _ in provider._now()]

        assert "Show as a list" in await titles()
        assert "Show as a gallery" not in await titles()
        await pilot.press("v")
        assert "Show as a gallery" in await titles()
        await pilot.press("ctrl+p", *"light colours")
        await until(pilot, lambda: "Light colours" in highlighted_command(app))
        await pilot.press("enter")
        await until(pilot, lambda: not app.current_theme.dark)


def test_the_browser_needs_its_extra(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where textual-serve is not installed, --web says how to install it."""
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    result = run("browse", "--web")
    assert (result.code, result.out) == (2, "")
    assert "bioclip-search[web]" in result.err


def test_browsing_takes_a_terminal(run: Command, drawer: Path) -> None:
    """In a pipe nobody could see the screen or press a key."""
    result = run("browse", "--catalogue", drawer)
    assert (result.code, result.out) == (2, "")
    assert "takes a terminal" in result.err


def test_the_command_alone_tells_what_it_can_do(run: Command) -> None:
    """Line by line, as its help does, where there is no terminal to browse in."""
    result = run()
    assert result.code == 2
    assert result.err.startswith("Usage: bioclip-search")
    assert "\nCommands:\n" in result.err
