"""Commands that change the catalogue are remembered: `runs` and `history` say what made a version."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bioclip_search._version import __version__
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.catalogue import Catalogue

__all__ = ["command_line", "journaled"]


def command_line() -> str:
    """The words of this call, as a shell would take them, safe to print."""
    return printable(shlex.join(click.get_current_context().obj or ()))


@contextmanager
def journaled(catalogue: "Catalogue") -> Iterator[dict[str, int]]:
    """Remember the command that changes the catalogue within, unless it fails, and what it counts: word -> photos."""
    from bioclip_search.journal import COUNTS, Run

    started = datetime.now(UTC)
    counts: dict[str, int] = {}
    yield counts
    fingerprint = catalogue.fingerprint.to_json()
    whole = {**dict.fromkeys(COUNTS, 0), **counts}
    run = Run(started, datetime.now(UTC), command_line(), __version__, fingerprint, whole)
    catalogue.journal.record_run(run)
