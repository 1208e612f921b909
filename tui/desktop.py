"""The desktop around the terminal: open and reveal files, put text on the clipboard.

Commands are lists of arguments, never a line for a shell: a file name is only ever a file name.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["Opener", "clipboard_command", "has_desktop", "open_command", "put_on_clipboard", "reveal_command", "start"]

Opener = Callable[[list[str]], None]
"""Starts a program that shows a file; raises OSError where it cannot."""

_SECONDS = 5


def has_desktop(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a window would appear before the user: not over SSH, nor on a console without a display."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    if platform in ("darwin", "win32"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_command(file: Path, platform: str = sys.platform) -> list[str]:
    """The command that shows an absolute path in the program that is meant for it."""
    match platform:
        case "darwin":
            return ["open", str(file)]
        case "win32":
            return ["explorer", str(file)]
        case _:
            return ["xdg-open", str(file)]


def reveal_command(file: Path, platform: str = sys.platform) -> list[str]:
    """The command that shows an absolute path in its folder; elsewhere the folder itself is shown."""
    match platform:
        case "darwin":
            return ["open", "-R", str(file)]
        case "win32":
            return ["explorer", f"/select,{file}"]
        case _:
            return ["xdg-open", str(file.parent)]


def start(command: list[str]) -> None:
    """Start a program and leave it alone. Raises OSError where it is not there."""
    quiet = subprocess.DEVNULL
    subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603


def clipboard_command(
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    find: Callable[[str], str | None] = shutil.which,
) -> list[str] | None:
    """The program that fills the clipboard of this desktop; None where there is none, or it is another computer's."""
    if not has_desktop(environment, platform):
        return None
    known: Sequence[list[str]] = [["pbcopy"]] if platform == "darwin" else []
    if platform == "win32":
        known = [["clip"]]
    elif platform != "darwin":
        if environment.get("WAYLAND_DISPLAY"):
            known = [["wl-copy"]]
        if environment.get("DISPLAY"):
            known = [*known, ["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
    return next((command for command in known if find(command[0])), None)


def put_on_clipboard(command: list[str], text: str) -> bool:
    """Give text to a clipboard program; whether it took it. Blocks for some milliseconds."""
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(  # noqa: S603
            command, input=text.encode(), stdout=quiet, stderr=quiet, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
