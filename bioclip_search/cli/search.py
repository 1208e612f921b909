"""bioclip-search search"""

from pathlib import Path
from typing import Any

import click

from bioclip_search.cli.options import as_of_option, catalogue_option, device_options, format_option
from bioclip_search.cli.preview import mode_of_preview, preview_options, print_preview
from bioclip_search.cli.query_options import query_of, query_options

__all__ = ["command"]

_FARTHEST = 100_000


@click.command("search")
@query_options
@click.option("-k", "limit", type=click.IntRange(1, 100_000), default=10, show_default=True, help="Number of hits.")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out so many of the best hits.")
@click.option("--why", is_flag=True, help="Also how near each hit is to each part of the query.")
@preview_options
@click.option(
    "--batch",
    metavar="FILE",
    help="Search for every line of this file (- is standard input), or for every photo of this folder, and print "
    "one JSON object a line: query and hits.",
)
@click.option("--model", help="Where the catalogue's model, or that for texts, is now, if not where it was.")
@as_of_option
@catalogue_option
@device_options
@format_option("table", "json", "csv", "paths", "paths0")
def command(
    limit: int,
    offset: int,
    batch: str | None,
    model: str | None,
    as_of: int | None,
    catalogue: Path | None,
    device: str,
    dtype: str,
    format_: str,
    why: bool,
    preview: bool,
    drawn_with: str | None,
    **asked: Any,
) -> None:
    """Find photos by words, by photos, or both; by what their records say; or list those of a taxon.

    TEXT may be a name (“Danaus plexippus”, “monarch”) or a description (“pinned wasp, dorsal view”). BioCLIP
    was trained on names and knows little else: a name finds far more surely than a description does, unless the
    catalogue has a second model for texts (--model-for-text). A number and a colon before TEXT or PHOTO is its
    weight: 0.5:herbarium.

    \b
    bioclip-search search "orange butterfly with black veins"
    bioclip-search search --image unknown.jpg --taxon Nymphalidae --not "label only"
    bioclip-search search --like EMEC1142 --by specimen --where "country = Panama and year < 1950"
    bioclip-search search --text-in-records "Panama 1911"
    bioclip-search search "a wing with eyespots" --model-for-text
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.cli.batch import print_batch
    from bioclip_search.cli.hits import print_hits, print_notes, print_notes_for_text
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.loading import model_loader
    from bioclip_search.query import Searcher

    mode = mode_of_preview(preview=preview, drawn_with=drawn_with, format_=format_, why=why, batch=batch)
    opened = Catalogue.open(catalogue_folder(catalogue), as_of)
    of_photos, of_texts = (None, model) if asked["for_text"] else (model, None)
    searcher = Searcher(
        opened,
        model_loader(opened, of_photos, device=device, dtype=dtype),
        model_loader(opened, of_texts, for_text=True, device=device, dtype=dtype),
    )
    if batch is not None:
        if not batch.strip():
            raise UsageError("The name after --batch is empty; give a file, a folder, or - for standard input.")
        if asked["words"] or asked["images"] or why or format_ not in ("table", "json"):
            raise UsageError("--batch brings its own TEXT or --image, and prints JSON Lines; leave the others out.")
        print_batch(searcher, Path(batch), lambda **part: query_of(limit=limit, offset=offset, **{**asked, **part}))
        return
    query = query_of(limit=limit, offset=offset, **asked)
    if offset > _FARTHEST and (query.parts or query.records):
        raise UsageError(f"Hits are ranked down to the {_FARTHEST:,}th; a list of a taxon has any --offset.")
    hits = searcher.search(query)
    if mode is not None:
        print_preview(hits, opened, mode)
    else:
        print_hits(hits, format_, why=why)
    if format_ == "table":
        print_notes(hits)
        print_notes_for_text(hits, opened, for_text=query.for_text)
