"""bioclip-search search"""

from pathlib import Path

import click

from bioclip_search.cli.options import as_of_option, catalogue_option, device_options, format_option

__all__ = ["command"]


@click.command("search")
@click.argument("words", nargs=-1, metavar="[TEXT]")
@click.option("--image", type=click.Path(path_type=Path), help="A photo that the hits should look like.")
@click.option("--taxon", help="Only photos of this taxon: a name of any rank, or a common name.")
@click.option("-k", "limit", type=click.IntRange(1, 100_000), default=10, show_default=True, help="Number of hits.")
@click.option("--text-weight", type=float, help="Weight of TEXT beside --image.  [default: 1.0]")
@click.option("--image-weight", type=float, help="Weight of --image beside TEXT.  [default: 1.0]")
@click.option("--include-missing", is_flag=True, help="Also photos whose files were gone at the last indexing.")
@click.option("--model", help="Where the catalogue's model is now, if not where it was.")
@as_of_option
@catalogue_option
@device_options
@format_option("table", "json", "csv", "paths", "paths0")
def command(
    words: tuple[str, ...],
    image: Path | None,
    taxon: str | None,
    limit: int,
    text_weight: float | None,
    image_weight: float | None,
    include_missing: bool,
    model: str | None,
    as_of: int | None,
    catalogue: Path | None,
    device: str,
    dtype: str,
    format_: str,
) -> None:
    """Find photos by words, by a photo, or by both; --taxon alone lists the photos of a taxon.

    \b
    bioclip-search search "orange butterfly with black veins"
    bioclip-search search --image unknown.jpg --taxon Nymphalidae
    bioclip-search search "on a herbarium sheet" --image leaf.jpg -k 20
    """
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.cli.hits import print_hits
    from bioclip_search.config import catalogue_folder
    from bioclip_search.embedder import Embedder
    from bioclip_search.errors import UsageError
    from bioclip_search.query import Query, search

    if not (words and image) and (text_weight is not None or image_weight is not None):
        raise UsageError("--text-weight and --image-weight weigh words against a photo; give both TEXT and --image.")
    query = Query(
        text=" ".join(words) or None,
        photo=image,
        text_weight=1.0 if text_weight is None else text_weight,
        photo_weight=1.0 if image_weight is None else image_weight,
        taxon=taxon,
        limit=limit,
        include_missing=include_missing,
    )
    opened = Catalogue.open(catalogue_folder(catalogue), as_of)
    built_with = opened.fingerprint

    def load() -> Embedder:
        return Embedder.load(model or built_with.model, device=device, dtype=dtype, fit=built_with.fit)

    print_hits(search(opened, query, load), format_)
