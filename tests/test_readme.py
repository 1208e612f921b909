"""The README is true: its commands parse, its two set-up commands are those of CI, every verb is told."""

import re
import shlex
from pathlib import Path

import click
import pytest

from bioclip_search.cli import bioclip_search

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^(?:\$ )?bioclip-search (.+?)(?:\s+#.*|\s+\|.*)?$", README, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    """Verb, options and arguments exist as they are written there."""
    verb, *arguments = shlex.split(line)
    command = bioclip_search.get_command(click.Context(bioclip_search), verb)
    assert command is not None
    command.make_context(verb, arguments)


def test_every_verb_is_in_the_readme() -> None:
    """What the program can do is told where people look first."""
    for verb in bioclip_search.list_commands(click.Context(bioclip_search)):
        assert f"bioclip-search {verb}" in README


def test_ci_installs_and_tests_as_the_readme_says() -> None:
    """The same constraints, the same extras, the same test command."""
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for part in ("-c constraints.txt -e '.[dev]'", ".venv/bin/python -m pytest"):
        assert part in README
        assert part in ci


def test_no_file_pins_a_download_address() -> None:
    """constraints.txt holds plain pins, and there is no lock file."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.]+", pin) for pin in pins if not pin.startswith("#"))
    assert not list(ROOT.glob("*.lock"))
