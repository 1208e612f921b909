"""The gallery and the list over any number of hits, driven by keys and the mouse; the bytes that a move costs."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gallery_app import MOMENT, GalleryApp, Painted, some_hit
from marked_log import MarkedLog
from textual.binding import Binding
from textual.pilot import Pilot

from bioclip_search.specimen import Specimen
from bioclip_search.taxonomy import Taxon
from tui.images import Mode
from tui.named import key_of
from tui.widgets.gallery import Gallery, TileState
from tui.widgets.hit_view import HitView
from tui.widgets.picture import Picture
from tui.widgets.result_list import ResultList

Script = Callable[[Pilot[None]], Awaitable[None]]
ROOT = Path(__file__).parent.parent


def drive(app: GalleryApp, script: Script, size: tuple[int, int] = (53, 34)) -> None:
    """Run an app without a terminal, wait until it has drawn, and do as the script says."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            await script(pilot)

    asyncio.run(run())


async def settled(pilot: Pilot[None]) -> None:
    """Wait until nothing more is asked for, read or drawn."""
    app, before = pilot.app, -1
    assert isinstance(app, GalleryApp)
    for _ in range(50):
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        if before == (before := len(app.wanted)):
            return


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def gallery_of(pilot: Pilot[None]) -> Gallery:
    return pilot.app.query_one(Gallery)


def screen(pilot: Pilot[None]) -> list[str]:
    """The text on the screen, line by line."""
    return [strip.text for strip in pilot.app.screen._compositor.render_strips()]


def test_a_tile_has_a_picture_a_name_and_a_number() -> None:
    """The genus is a letter, the score stands before the number, and three tiles fit into 53 cells."""

    async def script(pilot: Pilot[None]) -> None:
        lines = screen(pilot)
        assert re.search(r"┃▌D\. plexippus▐ +N\. antiopa", lines[6])
        assert "0.50 DEMO-000001" in lines[7]
        assert any(glyph in lines[2] for glyph in "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")
        assert not any("loading…" in line for line in lines)

    drive(GalleryApp(1_000), script)


def test_the_cursor_is_seen_without_colours() -> None:
    """┃ stands left of every row of one tile, and of no other; ▌ and ▐ are around its name."""

    async def script(pilot: Pilot[None]) -> None:
        await press(pilot, "right", "down")
        lines = screen(pilot)
        bars = [(y, line.index("┃")) for y, line in enumerate(lines) if "┃" in line]
        assert bars == [(y, 17) for y in range(8, 16)]
        assert sum(len(re.findall(r"▌[A-Z]\. \w+▐", line)) for line in lines) == 1

    drive(GalleryApp(1_000), script)


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["right", "l", "down", "j"], 8),
        (["down", "down", "up", "k", "right", "h", "left"], 0),
        (["end"], 999),
        (["G", "g"], 0),
        (["end", "home"], 0),
        (["pagedown"], 12),
        (["ctrl+d"], 6),
        (["pagedown", "right", "pageup"], 1),
        (["G", "ctrl+u"], 993),
        (["left"], 0),
        (["right", "up"], 1),
        (["G", "right", "down"], 999),
    ],
)
def test_keys_move_the_cursor(keys: list[str], cursor: int) -> None:
    """Arrows and hjkl by one, pages by what is on the screen, never beyond the ends; and it stays on the screen."""

    async def script(pilot: Pilot[None]) -> None:
        await press(pilot, *keys)
        assert gallery_of(pilot).cursor == cursor
        assert cursor in gallery_of(pilot).on_screen
        assert sum("┃" in line for line in screen(pilot)) == 8

    drive(GalleryApp(1_000), script)


def test_down_from_the_last_full_row_goes_to_the_last_photo() -> None:
    """The last row has one photo; from its neighbours' column the cursor comes there, too."""

    async def script(pilot: Pilot[None]) -> None:
        await press(pilot, "right", "down")
        assert gallery_of(pilot).cursor == 3

    drive(GalleryApp(4), script)


def test_enter_and_a_double_click_choose_and_a_click_moves() -> None:
    """The hit itself comes with the message."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, GalleryApp)
        await pilot.click(Gallery, offset=(20, 10))
        assert gallery_of(pilot).cursor == 4
        assert not any(isinstance(message, HitView.Selected) for message in app.told)
        await press(pilot, "enter")
        await pilot.click(Gallery, offset=(2, 2), times=2)
        await pilot.pause()
        chosen = [message for message in app.told if isinstance(message, HitView.Selected)]
        assert [message.index for message in chosen] == [4, 0]
        assert chosen[0].hit == some_hit(4)
        await pilot.click(Gallery, offset=(51, 2))
        assert gallery_of(pilot).cursor == 0

    drive(GalleryApp(1_000), script)


def test_the_wheel_scrolls_and_the_cursor_stays() -> None:
    """Looking around loses no place."""

    async def script(pilot: Pilot[None]) -> None:
        gallery = gallery_of(pilot)
        for _ in range(4):
            gallery._column_widgets[1].post_message(_wheel(pilot))
        await settled(pilot)
        assert gallery.scroll_offset.y > 0
        assert gallery.cursor == 0

    drive(GalleryApp(1_000), script)


def _wheel(pilot: Pilot[None]) -> object:
    from textual.events import MouseScrollDown

    widget = gallery_of(pilot)._column_widgets[1]
    return MouseScrollDown(widget, 5, 5, 0, 1, 0, False, False, False, 22, 5)


def test_a_million_results_cost_no_more_than_what_is_on_the_screen() -> None:
    """The DOM stays small, `End` works, and only two pages around the screen are ever read."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, GalleryApp)
        await press(pilot, "end")
        assert gallery_of(pilot).cursor == 999_999
        assert sum("┃" in line for line in screen(pilot)) == 8
        await press(pilot, "home")
        assert len(list(app.screen.walk_children())) <= 40
        read = {index for wanted in app.wanted for index in wanted}
        assert read <= {*range(30), *range(999_960, 1_000_000)}

    drive(GalleryApp(1_000_000), script)


def test_what_has_scrolled_away_is_no_longer_asked_for() -> None:
    """While nothing is answered every question is about the screen as it is then."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, GalleryApp)
        await press(pilot, "pagedown", "pagedown", "pagedown")
        assert all(len(wanted) <= 15 for wanted in app.wanted)
        on_screen = gallery_of(pilot).on_screen
        assert app.wanted[-1] == on_screen
        app.answers = True
        app.answer(app.wanted[-1], gallery_of(pilot))
        await settled(pilot)
        near = range(on_screen.start - 15, on_screen.stop + 15)
        assert all(index in near for wanted in app.wanted[-2:] for index in wanted)

    app = GalleryApp(1_000)
    app.answers = False
    drive(app, script)


def test_a_question_that_stays_without_answer_is_not_repeated() -> None:
    """An app that cannot give some thumbnails is not asked for ever."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, GalleryApp)
        before = len(app.wanted)
        for _ in range(5):
            gallery_of(pilot).put({})
            await settled(pilot)
        assert len(app.wanted) == before == 1
        assert sum("loading…" in line for line in screen(pilot)) >= 4

    app = GalleryApp(1_000)
    app.answers = False
    drive(app, script)


def test_placeholders_say_what_is_the_matter() -> None:
    """A photo without a thumbnail, one that cannot be decoded, one whose file is gone: their neighbours are drawn."""

    async def script(pilot: Pilot[None]) -> None:
        lines = screen(pilot)
        assert "not found" in lines[2]
        assert "unreadable" in lines[2]
        assert re.search(r"0\.50 \(no file\)", lines[15])
        assert not any("loading…" in line for line in lines)

    app = GalleryApp(100, {4: some_hit(4, missing_since=MOMENT)})
    app.states = {0: TileState.NOT_FOUND, 1: b"\xff\xd8no picture"}
    drive(app, script)


def test_text_of_records_is_shown_as_it_is_and_obeyed_never() -> None:
    """Control codes become question marks, markup stays markup, wide letters keep the columns straight."""
    hostile = some_hit(0, specimen=Specimen(Taxon(genus="[red]\x1b[31mX"), {"catalogNumber": "\x1b]0;own\x07ed"}))
    wide = some_hit(1, specimen=Specimen(Taxon(genus="蝶蝶蝶蝶蝶蝶蝶蝶蝶蝶"), {"catalogNumber": "№ 1"}))

    async def script(pilot: Pilot[None]) -> None:
        lines = screen(pilot)
        assert "[red] [31mX" in lines[6]
        assert "?]0;own?ed" in lines[7]
        assert "蝶…" in lines[6]
        assert "\x1b" not in "".join(lines)
        for line in pilot.app.screen._compositor.render_strips():
            assert line.cell_length == 53

    drive(GalleryApp(9, {0: hostile, 1: wide}), script)


def test_a_doubted_name_has_a_question_mark() -> None:
    """As written on the record: the qualifier is not lost in the short name."""
    doubted = some_hit(0, specimen=Specimen(some_hit(0).taxon, {"identificationQualifier": "cf."}))

    async def script(pilot: Pilot[None]) -> None:
        assert "D. plexippus?" in screen(pilot)[6]

    drive(GalleryApp(9, {0: doubted}), script)


def test_marks_have_a_glyph_in_the_gallery_and_the_list() -> None:
    """A mark is seen without colours, and goes again."""

    async def script(pilot: Pilot[None]) -> None:
        gallery = gallery_of(pilot)
        key = key_of(some_hit(1))
        gallery.mark(key)
        await pilot.pause()
        assert "✓ N. antiopa" in screen(pilot)[6]
        assert gallery.marked == {key}
        gallery.mark(key, False)
        await pilot.pause()
        assert not any("✓" in line for line in screen(pilot))

    drive(GalleryApp(100), script)


@pytest.mark.parametrize(("width", "columns"), [(10, 1), (17, 1), (34, 1), (36, 2), (53, 3), (120, 7), (200, 11)])
def test_it_works_at_any_width(width: int, columns: int) -> None:
    """As many tiles as fit beside each other, one cell being the scrollbar's; the cursor is on the screen."""

    async def script(pilot: Pilot[None]) -> None:
        await press(pilot, "down", "down", "down", "down", "down", "down")
        assert gallery_of(pilot).columns == columns
        assert gallery_of(pilot).cursor == 6 * columns
        assert any("┃" in line for line in screen(pilot))

    drive(GalleryApp(1_000), script, size=(width, 20))


def test_another_size_keeps_the_photo_under_the_cursor() -> None:
    """However the terminal is drawn larger and smaller."""

    async def script(pilot: Pilot[None]) -> None:
        await press(pilot, *["pagedown"] * 5)
        cursor = gallery_of(pilot).cursor
        for size in ((80, 24), (30, 9), (200, 60), (53, 34)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert gallery_of(pilot).cursor == cursor
            assert cursor in gallery_of(pilot).on_screen
            assert any("┃" in line for line in screen(pilot))

    drive(GalleryApp(1_000), script)


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light"])
def test_pictures_lie_on_the_theme(theme: str) -> None:
    """After a change of theme all tiles are drawn on its background."""

    async def script(pilot: Pilot[None]) -> None:
        pilot.app.theme = theme
        await settled(pilot)
        lines = screen(pilot)
        assert any(glyph in lines[2] for glyph in "▘▝▀▖▞▛▗▚▜▄▙▟")
        assert not any("loading…" in line for line in lines)

    drive(GalleryApp(100), script)


def test_results_of_a_former_query_are_dimmed_without_being_drawn_anew() -> None:
    """The tiles stay; other results are bright again."""

    async def script(pilot: Pilot[None]) -> None:
        app, gallery = pilot.app, gallery_of(pilot)
        assert isinstance(app, GalleryApp)
        asked = len(app.wanted)
        gallery.dim(True)
        await settled(pilot)
        assert gallery.has_class("-dim")
        assert len(app.wanted) == asked
        gallery.show(app.results, 7)
        await settled(pilot)
        assert not gallery.has_class("-dim")
        assert gallery.cursor == 7

    drive(GalleryApp(100), script)


@pytest.mark.parametrize("view", [Gallery, ResultList])
def test_nothing_at_all_is_shown_as_nothing(view: type[HitView]) -> None:
    """No results, and results of which there are none; keys do no harm."""

    async def script(pilot: Pilot[None]) -> None:
        app, shown = pilot.app, pilot.app.query_one(view)
        assert isinstance(app, GalleryApp)
        app.told.clear()
        for results in (None, app.results):
            shown.show(results)
            await press(pilot, "down", "right", "end", "pagedown", "enter", "home")
            assert shown.cursor == 0
        assert not any(isinstance(message, HitView.Highlighted) for message in app.told)

    drive(GalleryApp(0), script)


def test_the_hit_under_the_cursor_is_told_as_soon_as_it_is_read() -> None:
    """First without it, for the pane beside to say “loading…”, then with it."""

    async def script(pilot: Pilot[None]) -> None:
        told = [message for message in pilot.app.told if isinstance(message, HitView.Highlighted)]  # type: ignore[attr-defined]
        assert [message.hit is None for message in told] == [True, False]
        assert told[-1].hit == some_hit(0)

    drive(GalleryApp(10), script)


def test_the_list_has_a_line_for_each_photo_and_the_cursor_of_the_gallery() -> None:
    """Score, number, name, family and file; the same keys, and the cursor can be taken over."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, GalleryApp)
        gallery_of(pilot).display, listed = False, app.query_one(ResultList)
        listed.display = True
        listed.show(app.results, 3)
        listed.marked = {key_of(some_hit(1))}
        listed.focus()
        await settled(pilot)
        await press(pilot, "j", "down")
        assert listed.cursor == 5
        lines = screen(pilot)
        assert re.search(r"score +catalogue no. +scientific name +family +view +country, date +file", lines[0])
        assert re.search(r" ✓ 0\.50 +DEMO-000001 +Nymphalis antiopa +Nymphalidae .*drawer/0000001\.jpg", lines[2])
        assert re.search(r"^┃ +0\.50 +DEMO-000005 +▌[A-Z]\w+ \w+▐", lines[6])
        assert sum("┃" in line for line in lines) == 1
        await press(pilot, "end")
        assert listed.cursor == 999_999
        await pilot.click(ResultList, offset=(10, 3))
        assert listed.cursor == 999_999 - 39 + 3 + 1 - 1

    drive(GalleryApp(1_000_000), script, size=(120, 40))


@pytest.mark.parametrize("width", [5, 20, 40, 60, 90, 120, 300])
def test_the_list_leaves_out_columns_for_which_there_is_no_room(width: int) -> None:
    """The name is always there, and every line is as wide as the screen."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        gallery_of(pilot).display, app.query_one(ResultList).display = False, True
        app.query_one(ResultList).show(app.results)  # type: ignore[attr-defined]
        await settled(pilot)
        strips = app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {width}
        assert width < 30 or "Danaus plexippus" in strips[1].text

    drive(GalleryApp(100), script, size=(width, 12))


def test_a_photo_without_a_record_is_listed_by_its_file() -> None:
    """However narrow the list is, something tells which photo it is."""
    bare = some_hit(1, specimen=Specimen(Taxon(), {}), path="drawer/IMG_0417.jpg")

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        gallery_of(pilot).display, app.query_one(ResultList).display = False, True
        app.query_one(ResultList).show(app.results)  # type: ignore[attr-defined]
        for width in (52, 44, 30, 120):
            await pilot.resize_terminal(width, 12)
            await settled(pilot)
            assert "IMG_0417.jpg" in screen(pilot)[2]

    drive(GalleryApp(9, {1: bare}), script)


@pytest.mark.parametrize("view", [Gallery, ResultList])
def test_every_key_can_be_explained_and_changed(view: type[HitView]) -> None:
    """Each binding has an id, a description and a tooltip."""
    bindings = [binding for binding in view.BINDINGS if isinstance(binding, Binding)] or HitView.BINDINGS
    for binding in bindings:
        assert isinstance(binding, Binding)
        assert binding.id
        assert binding.description
        assert binding.tooltip


def test_a_large_picture_is_drawn_in_its_room_and_anew_when_that_changes() -> None:
    """A state stands in its place while there is none; other modes fall back to blocks where they are not installed."""
    from PIL import Image

    async def script(pilot: Pilot[None]) -> None:
        picture = Picture()
        await pilot.app.mount(picture)
        gallery_of(pilot).display = False
        picture.show(None, "loading…")
        await pilot.pause()
        assert any("loading…" in line for line in screen(pilot))
        image = Image.new("RGB", (40, 40), (255, 255, 255))
        image.paste((0, 0, 0), (5, 5, 9, 31))
        picture.show(image)
        await drawn(pilot)
        await pilot.resize_terminal(30, 10)
        await drawn(pilot)
        picture.mode = Mode.NONE
        await pilot.pause()
        assert any("no pictures" in line for line in screen(pilot))

    drive(GalleryApp(0), script)


def test_all_lines_of_a_large_screen_are_kept() -> None:
    """A row of scrolling makes one row of tiles, however many there are."""

    async def script(pilot: Pilot[None]) -> None:
        view = gallery_of(pilot)
        await press(pilot, "pagedown", "pagedown")
        places = [(index, line) for index in list(view.on_screen)[view.columns : -view.columns] for line in range(8)]
        assert len(places) > 600
        assert all(place in view._lines for place in places)

    drive(GalleryApp(2_000), script, size=(260, 80))


def test_tiles_are_shown_where_their_photos_are_by_now() -> None:
    """What was drawn for former results is at hand for others that have the same photos elsewhere."""

    async def script(pilot: Pilot[None]) -> None:
        app, view = pilot.app, gallery_of(pilot)
        assert isinstance(app, GalleryApp)
        app.answers = False
        app.results = Painted(6, {index: some_hit(100 + index) for index in range(6)})
        view.show(app.results)
        app.results.read(0, 6)
        await pilot.pause()
        assert any("loading…" in line for line in screen(pilot))
        drawn = view.draw({key_of(some_hit(100 + index)): app.thumbnail(index) for index in range(6)})
        view.post_message(Gallery._Drawn(drawn, [900]))
        await settled(pilot)
        assert not any("loading…" in line for line in screen(pilot))

    drive(GalleryApp(1_000), script)


async def drawn(pilot: Pilot[None]) -> None:
    """Wait until a picture as wide as the screen has been drawn."""
    picture, end = pilot.app.query_one(Picture), time.monotonic() + 60
    while not (picture._rows and sum(len(part.text) for part in picture._rows[0]) == pilot.app.size.width):
        assert time.monotonic() < end
        await pilot.pause(0.01)
    await pilot.pause()
    assert any(glyph in "".join(screen(pilot)) for glyph in "▌▐▀▄")


def test_the_widgets_import_no_heavy_package() -> None:
    """The first picture is on the screen before LanceDB or torch are thought of."""
    code = (
        "import sys, tui.widgets.gallery, tui.widgets.result_list, tui.widgets.picture; "
        "print([name for name in ('torch', 'open_clip', 'lancedb', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# In a real terminal


class Tmux:
    """A tmux of its own, in which the gallery of `gallery_app.py` runs; everything it writes goes to a file."""

    def __init__(self, folder: Path, width: int, height: int, **environment: str) -> None:
        self._log = folder / "written"
        self._log.touch()
        self._marked = MarkedLog(self._log)
        self._name = f"gallery-{uuid.uuid4().hex[:8]}"
        variables = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "COLORTERM": "truecolor", **environment}
        settings = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
        command = f"env -u COLUMNS -u LINES {sys.executable} {ROOT / 'tests' / 'gallery_app.py'} 100000"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), *settings, command)
        self.tmux("pipe-pane", "-t", "0", f"cat >> {self._log}")

    def tmux(self, *arguments: str) -> str:
        done = subprocess.run(["tmux", "-L", self._name, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def wait_for(self, is_there: Callable[[str], object]) -> None:
        """Wait until the screen is as it should be."""
        deadline = time.monotonic() + 60
        while not is_there(self.screen()):
            assert time.monotonic() < deadline, self.screen()
            time.sleep(0.02)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "0")

    @property
    def _tty(self) -> Path:
        return Path(self.tmux("display-message", "-p", "#{pane_tty}").strip())

    def written(self) -> int:
        return self._marked.written(self._tty)

    def settled(self) -> int:
        return self._marked.settled(self._tty)

    def bytes_written(self) -> bytes:
        return self._log.read_bytes()

    def press(self, key: str, is_there: Callable[[str], object]) -> int:
        """The bytes that the answer to a key has."""
        before = self.written()
        self.tmux("send-keys", "-t", "0", key)
        self.wait_for(is_there)
        return self.written() - before

    def stop(self) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., Tmux]]:
    """Makes terminals, which are closed at the end."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    opened: list[Tmux] = []

    def start(width: int, height: int, **environment: str) -> Tmux:
        opened.append(Tmux(tmp_path, width, height, **environment))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.stop()


def _cursor_on(number: int) -> Callable[[str], object]:
    return lambda text: re.search(rf"┃0\.\d\d …?[\w-]*{number:04d}\b", text) and "loading…" not in text


@pytest.mark.skipif(os.name == "nt", reason="tmux")
def test_a_move_of_the_cursor_and_a_row_of_scrolling_are_few_bytes(tmux: Callable[..., Tmux]) -> None:
    """Over SSH: less than 12 KiB for a move, even at the right edge of a wide gallery, and 80 KiB for a row."""
    terminal = tmux(103, 34)
    terminal.wait_for(_cursor_on(0))
    terminal.settled()
    for place in range(1, 6):
        assert terminal.press("Right", _cursor_on(place)) < 2 * 1024
    assert terminal.press("Down", _cursor_on(11)) < 2 * 1024
    for place in (17, 23):
        terminal.press("Down", _cursor_on(place))
    assert 1024 < terminal.press("Down", _cursor_on(29)) < 80 * 1024
    written = terminal.bytes_written()
    assert b"\x1bP" not in written
    assert b"\x1b_" not in written


@pytest.mark.skipif(os.name == "nt", reason="tmux")
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "linux", "COLORTERM": ""}, {"COLORTERM": ""}])
def test_the_cursor_is_seen_in_any_terminal(tmux: Callable[..., Tmux], environment: dict[str, str]) -> None:
    """In the text of the screen alone: without colours, with sixteen, and with 256."""
    terminal = tmux(60, 30, **environment)
    terminal.wait_for(_cursor_on(0))
    terminal.press("Right", _cursor_on(1))
    assert terminal.screen().count("┃") == 8
    assert len(re.findall(r"▌[A-Z]\. \w+▐", terminal.screen())) == 1


def test_nothing_is_written_while_nothing_happens(tmux: Callable[..., Tmux]) -> None:
    """An open gallery over SSH costs nothing."""
    terminal = tmux(60, 30)
    terminal.wait_for(_cursor_on(0))
    terminal.settled()
    assert len({terminal.written() for _ in range(50)}) == 1


def test_a_score_that_is_not_there_is_left_out() -> None:
    """A plain list of a taxon has numbers only."""

    async def script(pilot: Pilot[None]) -> None:
        assert screen(pilot)[7].startswith("┃DEMO-000000 ")

    drive(GalleryApp(9, {0: replace(some_hit(0), score=None)}), script)
