"""Print results on standard output: JSON, CSV, paths, and tables for people."""

import csv
import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioclip_search.text import guarded, printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "print_csv", "print_json", "print_lines", "print_table"]

_WIDE = 10_000


def print_json(value: Any) -> None:
    """One JSON document. On a terminal everything beyond ASCII is escaped, so that nothing obeys it."""
    print_lines([json.dumps(value, ensure_ascii=sys.stdout.isatty(), indent=2)])


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """CSV with a header line; no spreadsheet takes a cell for a formula (see `guarded`). On a terminal without
    control codes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    shown = printable if sys.stdout.isatty() else str
    for row in rows:
        cells = ((column, row.get(column)) for column in columns)
        writer.writerow({column: guarded(shown(cell)) if isinstance(cell, str) else cell for column, cell in cells})
    sys.stdout.write(text.getvalue())


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def print_table(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; `columns` maps titles to Rich styles. It is as wide as it needs to be when piped."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, style in columns.items():
        table.add_column(title, style=style, overflow="fold", justify="right" if title == "score" else "left")
    for row in rows:
        # Text, not str: markup in file names and records must stay what it is.
        table.add_row(*(Text(printable(str(cell))) if cell is not None else Text("–", style="dim") for cell in row))
    console().print(table)


def console() -> "Console":
    """Standard output through Rich, in colour on a terminal unless NO_COLOR is set."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))  # Rich itself would exit with 1

    return Output(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)
