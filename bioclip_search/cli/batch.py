"""Many queries in one go: a line or a photo each, answered as JSON Lines while they come."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.batches import batched
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.query import Query, Searcher

__all__ = ["print_batch"]

_STREAM = Path("-")
_AT_ONCE = 64


def print_batch(searcher: "Searcher", batch: Path, query_of: Callable[..., "Query"]) -> None:
    """Answer every line of a file, or every photo of a folder; `query_of` takes `words` or `images`.

    What cannot be answered is reported and passed over. Raises UsageError if there is nothing, or nothing that can.
    """
    from bioclip_search.errors import QueryError, UsageError
    from bioclip_search.query import hit_row

    asked = answered = 0
    for part in batched(_asked(batch), _AT_ONCE):
        asked += len(part)
        queries = [(shown, query) for shown, named in part if (query := _made(shown, named, query_of))]
        for (shown, _), hits in zip(queries, searcher.search_all([query for _, query in queries]), strict=True):
            if isinstance(hits, QueryError):
                _pass_over(shown, hits)
                continue
            answered += 1
            line = {"query": shown, "noGoodMatch": hits.no_good_match, "hits": [hit_row(hit) for hit in hits]}
            sys.stdout.write(json.dumps(line, ensure_ascii=sys.stdout.isatty()) + "\n")
        sys.stdout.flush()
    place = printable(str(batch))
    if not asked:
        raise UsageError(f"There is nothing in {place} to search for; one query a line, or photos.")
    if not answered:
        raise UsageError(f"None of the {asked:,} queries in {place} could be answered; the reasons are above.")


def _made(shown: str, named: Mapping[str, Any], query_of: Callable[..., "Query"]) -> "Query | None":
    from bioclip_search.errors import QueryError

    try:
        return query_of(**named)
    except QueryError as error:
        _pass_over(shown, error)
        return None


def _pass_over(shown: str, error: Exception) -> None:
    click.echo(f"Passed over {printable(shown)}: {error}", err=True)


def _asked(batch: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each query is called, and its own options."""
    from bioclip_search.errors import UsageError

    if batch != _STREAM and batch.is_dir():
        for file in sorted(file for file in batch.rglob("*") if file.is_file() and not file.name.startswith(".")):
            yield str(file), {"images": (f"1:{file}",)}
        return
    try:
        with click.open_file(str(batch), encoding="utf-8-sig") as stream:
            for line in stream:
                if text := line.strip():
                    yield text, {"words": (text,)}
    except UnicodeDecodeError as error:
        raise UsageError(f"The list {printable(str(batch))} is not UTF-8 text; save it as such.") from error
    except OSError as error:
        raise UsageError(
            f"The list {printable(str(batch))} cannot be read ({error.strerror}); check its path."
        ) from error
