"""The terminal application in a real terminal: what is written to it, without colours, and how it is left."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from marked_log import MarkedLog

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

_PATIENCE = 90


class Terminal:
    """A tmux session with one program in it; all that the program writes is kept in `log`."""

    def __init__(self, folder: Path, *, size: tuple[int, int] = (120, 40)) -> None:
        self._socket = f"bioclip-search-{uuid.uuid4().hex[:8]}"
        self.log = folder / "log"
        self._pid, self._status = folder / "pid", folder / "status"
        self.log.touch()
        self._marked = MarkedLog(self.log)
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "cat")

    def start(self, *arguments: object, environment: dict[str, str] | None = None) -> None:
        """Run `bioclip-search` with arguments; what follows its end is told by `status`."""
        settings = [item for name, value in (environment or {}).items() for item in ("-e", f"{name}={value}")]
        command = ["env", "-u", "COLUMNS", "-u", "LINES", sys.executable, "-m", "bioclip_search", *map(str, arguments)]
        script = f"echo $$ > '{self._pid}'; exec {shlex.join(command)}"
        self._status.unlink(missing_ok=True)
        self._tmux(
            "respawn-pane", "-k", *settings, "sh", "-c", f"sh -c {shlex.quote(script)}; echo $? > '{self._status}'; cat"
        )
        self._tmux("pipe-pane", "-o", f"cat >> '{self.log}'")

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def pid(self) -> int:
        return int(self._pid.read_text())

    @property
    def status(self) -> int | None:
        """The exit status; None while the program runs."""
        text = self._status.read_text() if self._status.exists() else ""
        return int(text) if text.strip() else None

    def written(self) -> int:
        """Bytes that the program has written so far."""
        return self._marked.written(self._tty)

    def settled(self) -> int:
        """The same, once a frame that was under way is whole."""
        return self._marked.settled(self._tty)

    @property
    def _tty(self) -> Path:
        return Path(self._tmux("display-message", "-p", "#{pane_tty}").strip())

    @property
    def modes(self) -> list[str]:
        """Whether the alternate screen, the cursor and the mouse are on: “1” or “0”."""
        names = ("alternate_on", "cursor_flag", "mouse_any_flag")
        return self._tmux("display-message", "-p", " ".join(f"#{{{name}}}" for name in names)).split()

    def until(self, condition: Callable[[], object]) -> None:
        """Let the program work until the condition holds."""
        end = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < end, self.screen
            time.sleep(0.02)

    def end(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal of 120 × 40 cells."""
    opened = Terminal(tmp_path)
    yield opened
    opened.end()


def browse(terminal: Terminal, drawer: Path, *arguments: str, **environment: str) -> None:
    """Browse, and wait until the first photos are drawn and the specimen is told of."""
    terminal.start("browse", "--catalogue", drawer, *arguments, environment=environment)
    terminal.until(lambda: "126 photos" in terminal.screen and "photo 1 of 126" in terminal.screen and drawn(terminal))


def drawn(terminal: Terminal) -> bool:
    """Whether nothing on the screen is still to come."""
    return "loading…" not in terminal.screen


@pytest.mark.parametrize(
    "environment",
    [{"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "xterm-256color", "COLORTERM": ""}],
    ids=["no colour", "console", "256 colours"],
)
def test_the_selected_tile_is_told_by_signs(terminal: Terminal, drawer: Path, environment: dict[str, str]) -> None:
    """Where colours are few or none, one tile has a bar beside it and its name between two others."""
    browse(terminal, drawer, "--images", "none", **environment)
    for number in (2, 3):
        terminal.settled()
        lines = terminal.screen.splitlines()
        assert sum(line.count("┃") for line in lines) == 8
        assert [line.count("▌") for line in lines] == [line.count("▐") for line in lines]
        assert sum(line.count("▌") for line in lines) == 1
        terminal.press("Right")
        terminal.until(lambda number=number: f"Results {number}/126" in terminal.screen)  # type: ignore[misc]


def test_without_passthrough_no_graphics_are_written(terminal: Terminal, drawer: Path) -> None:
    """In tmux pictures are blocks: neither sixels nor Kitty's escape codes are written."""
    browse(terminal, drawer)
    assert "· blocks" in terminal.screen
    written = terminal.log.read_bytes()
    assert b"\x1b_G" not in written
    assert not re.search(rb"\x1bP[0-9;]*q", written)
    assert any(block in terminal.screen for block in "▀▄▘▝▖▗▚▞")


def test_leaving_restores_the_terminal(terminal: Terminal, drawer: Path) -> None:
    """After q the screen, the cursor and the mouse are as before, and the status is 0."""
    browse(terminal, drawer)
    assert terminal.modes == ["1", "0", "1"]
    terminal.press("q")
    terminal.until(lambda: terminal.status is not None)
    assert terminal.status == 0
    terminal.until(lambda: terminal.modes == ["0", "1", "0"])


def test_a_signal_restores_the_terminal(terminal: Terminal, drawer: Path) -> None:
    """After kill -TERM they are as before, too."""
    browse(terminal, drawer)
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.until(lambda: terminal.status is not None)
    assert terminal.status == 128 + signal.SIGTERM
    terminal.until(lambda: terminal.modes == ["0", "1", "0"])


def test_a_terminal_that_is_gone_ends_the_program(terminal: Terminal, drawer: Path) -> None:
    """As when a connection breaks: it does not stay behind, waiting to write its farewell."""
    browse(terminal, drawer)
    os.kill(terminal.pid, signal.SIGHUP)
    terminal.until(lambda: terminal.status is not None)
    assert terminal.status == 128 + signal.SIGHUP


def test_little_is_written_over_a_slow_line(terminal: Terminal, drawer: Path) -> None:
    """A move of the cursor is some kilobytes, a row of photos some tens; nothing moves, nothing is written."""
    browse(terminal, drawer)
    terminal.press("d")
    terminal.until(lambda: terminal.screen.count("DEMO-") == 20 and drawn(terminal))
    before = terminal.settled()
    terminal.press("Right")
    terminal.until(lambda: "Results 2/126" in terminal.screen)
    assert terminal.settled() - before < 12 * 1024
    terminal.press("PageDown")
    terminal.until(lambda: "Results 2/126" not in terminal.screen and drawn(terminal))
    shown, before = terminal.screen, terminal.written()
    terminal.press("Down")
    terminal.until(lambda: terminal.screen != shown and drawn(terminal))
    after = terminal.settled()
    assert after - before < 80 * 1024
    assert {terminal.written() for _ in range(20)} == {after}


def test_alone_on_a_terminal_the_command_browses(terminal: Terminal, drawer: Path, tmp_path: Path) -> None:
    """`bioclip-search` shows the catalogue that is there, and tells its commands where there is none."""
    terminal.start(environment={"BIOCLIP_SEARCH_CATALOGUE": str(drawer)})
    terminal.until(lambda: "126 photos" in terminal.screen)
    terminal.press("q")
    terminal.until(lambda: terminal.status is not None)
    terminal.start(environment={"BIOCLIP_SEARCH_CATALOGUE": str(tmp_path / "none")})
    terminal.until(lambda: terminal.status is not None and "Commands:" in terminal.screen)


def test_no_mouse_leaves_it_to_the_terminal(terminal: Terminal, drawer: Path) -> None:
    """With --no-mouse the terminal itself selects text."""
    browse(terminal, drawer, "--no-mouse")
    assert terminal.modes[-1] == "0"
