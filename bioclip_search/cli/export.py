"""bioclip-search export"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.export import Exported, ExportOptions
    from bioclip_search.query import Part

__all__ = ["command"]

_STREAM = Path("-")
_HITS = 10


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--as",
    "as_",
    type=click.Choice(["csv", "parquet", "jsonl", "dwca"]),
    help="Format of the file. Default: by its suffix, .csv .parquet .jsonl, or .zip for a Darwin Core Archive.",
)
@click.option("--taxon", help="Only photos of this taxon: a name of any rank, or a common name.")
@click.option("--text", "words", help="Only the hits of a search for these words, with a column `score`.")
@click.option("--image", help="Only the hits of a search by this photo: a file, or an http(s) address.")
@click.option("-k", "limit", type=click.IntRange(1, 100_000), help=f"Number of hits.  [default: {_HITS}]")
@click.option(
    "--paths",
    "list_",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Only the photos listed in this file, one path or photo_id a line; - reads standard input.",
)
@click.option("--vectors", is_flag=True, help="Also the embeddings (parquet, jsonl).")
@click.option(
    "--raw",
    is_flag=True,
    help="Leave csv cells as they are. Otherwise an apostrophe is put before cells that begin with = + - @ and are "
    "no numbers: a spreadsheet would run them as formulas.",
)
@click.option("--force", is_flag=True, help="Replace TARGET if it is there.")
@click.option("--include-missing", is_flag=True, help="Also photos whose files were gone at the last indexing.")
@click.option("--model", help="Where the catalogue's model is now, if not where it was.")
@catalogue_option
@device_options
@format_option("text", "json")
def command(
    target: Path,
    as_: str | None,
    taxon: str | None,
    words: str | None,
    image: str | None,
    limit: int | None,
    list_: Path | None,
    vectors: bool,
    raw: bool,
    force: bool,
    include_missing: bool,
    model: str | None,
    catalogue: Path | None,
    device: str,
    dtype: str,
    format_: str,
) -> None:
    """Write photos with the records of their specimens to the file TARGET; - is standard output.

    All photos, those of a taxon, the hits of a search, or a list. A Darwin Core Archive can be read back
    with `bioclip-search metadata import`, and holds every value as it is in the catalogue. One row is one
    photo; in the archive one row is one specimen, and its photos are in multimedia.txt.

    \b
    bioclip-search export specimens.csv
    bioclip-search export oaks.zip --taxon Quercus
    bioclip-search export hits.parquet --text "label in red ink" -k 500 --vectors
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.export import Choice, ExportOptions, export_photos
    from bioclip_search.loading import model_loader
    from bioclip_search.paths import absolute
    from bioclip_search.query import PhotoPart, Query, TextPart

    is_search = words is not None or image is not None
    if limit is not None and not is_search:
        raise UsageError("-k is the number of hits of a search; give --text or --image with it.")
    options = ExportOptions(
        target=target if target == _STREAM else absolute(target),
        format=as_ or "",
        vectors=vectors,
        raw=raw,
        force=force,
    )
    query = None
    if is_search:
        parts: list[Part] = [TextPart(words)] if words else []
        parts += [PhotoPart(image)] if image else []
        query = Query(tuple(parts), (taxon,) if taxon else (), limit=limit or _HITS, include_missing=include_missing)
    choice = Choice(
        taxon=None if is_search else taxon,
        query=query,
        lines=_lines(list_) if list_ is not None else None,
        include_missing=include_missing,
    )
    opened = Catalogue.open(catalogue_folder(catalogue))
    load = model_loader(opened, model, device=device, dtype=dtype)
    _report(export_photos(opened, options, choice, load), options, format_)


def _lines(list_: Path) -> Iterator[str]:
    from bioclip_search.errors import UsageError

    shown = printable(str(list_))
    try:
        if list_ == _STREAM:
            yield from sys.stdin
        else:
            with list_.open(encoding="utf-8-sig") as stream:
                yield from stream
    except UnicodeDecodeError as error:
        raise UsageError(f"The list {shown} is not UTF-8 text; save it as such.") from error
    except OSError as error:
        raise UsageError(f"The list {shown} cannot be read ({error.strerror}); check its path.") from error


def _report(exported: "Exported", options: "ExportOptions", format_: str) -> None:
    """Say what was written; on standard error where the export itself is on standard output."""
    counts = {"target": str(options.target), "photos": exported.photos, "specimens": exported.specimens}
    if format_ == "json":
        text = json.dumps({**counts, "format": options.format}, ensure_ascii=sys.stdout.isatty(), indent=2)
    else:
        text = f"{exported.photos:,} photos of {exported.specimens:,} specimens are in {printable(str(options.target))}"
    click.echo(text, err=options.target == _STREAM)
    if exported.differing:
        click.echo(
            f"Note: {exported.differing:,} photos have another record than other photos of the same specimen; "
            "they are in rows of their own.",
            err=True,
        )
