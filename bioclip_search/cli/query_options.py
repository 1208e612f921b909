"""The options of a query, for `search` and `export`, and the Query that they make."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.query import Part, Query

__all__ = ["query_of", "query_options"]

_WEIGHTED = re.compile(r"\s*([+-]?[\d.,]*\d[\d.,]*(?:e[+-]?\d+)?):(.*)", re.DOTALL | re.ASCII | re.IGNORECASE)

_FILTERS = (
    click.option(
        "--taxon", "taxa", multiple=True, help="Only photos of this taxon: a name of any rank, or a common name."
    ),
    click.option("--not-taxon", "not_taxa", multiple=True, help="No photos of this taxon."),
    click.option(
        "--where",
        metavar="CONDITION",
        help="Only photos whose records say so: \"typeStatus = 'holotype' and year < 1900\". Darwin Core terms; "
        "= != < > like ilike in between, is empty, and, or, not. Letters count as written; ilike takes either case.",
    ),
    click.option("--view", help="Only photos of this view: dorsal, ventral, lateral, label …"),
    click.option("--include-missing", is_flag=True, help="Also photos whose files were gone at the last indexing."),
)

_PARTS = (
    click.argument("words", nargs=-1, metavar="[TEXT]"),
    click.option("--and", "more", multiple=True, metavar="TEXT", help="Words that count beside TEXT."),
    click.option("--not", "less", multiple=True, metavar="TEXT", help="Words that the hits should not be like."),
    click.option(
        "--image",
        "images",
        multiple=True,
        metavar="PHOTO",
        help="A photo that the hits should look like: a file, an http(s) address, or - for standard input.",
    ),
    click.option(
        "--crop", metavar="X,Y,W,H", help="Only this region of --image, in pixels or in percent (10%,0%,50%,50%)."
    ),
    click.option(
        "--like",
        multiple=True,
        metavar="NUMBER",
        help="A specimen or photo of the catalogue that the hits should look like: catalogue number, occurrenceID "
        "or path. It is not among the hits. Write 1: before a number that begins with digits and a colon.",
    ),
    click.option("--literal", is_flag=True, help="Put TEXT to the model as it is, names too."),
    click.option(
        "--model-for-text",
        "for_text",
        is_flag=True,
        help="Ask the catalogue's second model, a general CLIP that knows prose: all of TEXT, --image and --like. "
        "`bioclip-search index --model-for-text NAME` adds one.",
    ),
    click.option(
        "--text-in-records",
        "records",
        metavar="WORDS",
        help="Only, or beside TEXT and --image also, photos whose records say all of these words.",
    ),
    click.option("--min-score", type=float, help="Leave out hits with a lower score."),
    click.option(
        "--by",
        type=click.Choice(["photo", "specimen"]),
        default="photo",
        help="Hits are photos, or the best photo of each specimen.",
    ),
    click.option("--diverse", is_flag=True, help="Prefer hits that differ from each other."),
    click.option("--exact", is_flag=True, help="Compare every embedding, without the index."),
)


def query_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What to look for, and where."""
    for option in reversed((*_PARTS, *_FILTERS)):
        function = option(function)
    return function


def query_of(
    *,
    words: Sequence[str],
    more: Sequence[str],
    less: Sequence[str],
    images: Sequence[str],
    crop: str | None,
    like: Sequence[str],
    literal: bool,
    taxa: Sequence[str],
    not_taxa: Sequence[str],
    by: str,
    **others: Any,
) -> "Query":
    """The Query of the options; `others` are fields of it. Raises QueryError or UsageError."""
    from bioclip_search.errors import UsageError
    from bioclip_search.query import LikePart, Query, TextPart

    texts = [*([" ".join(words)] if words else []), *more]
    if literal and not texts and not less:
        raise UsageError("--literal says how TEXT is put to the model; give words with it.")
    parts: list[Part] = [TextPart(text, weight, literal) for weight, text in map(_weighted, texts)]
    parts += [TextPart(text, -weight, literal) for weight, text in map(_weighted, less)]
    parts += _photo_parts(images, crop)
    parts += [LikePart(name, weight) for weight, name in map(_weighted, like)]
    return Query(parts=tuple(parts), taxa=tuple(taxa), not_taxa=tuple(not_taxa), by_specimen=by == "specimen", **others)


def _photo_parts(images: Sequence[str], crop: str | None) -> "Iterator[Part]":
    from bioclip_search.errors import UsageError
    from bioclip_search.query import PhotoPart
    from bioclip_search.region import Region

    if crop is not None and len(images) != 1:
        raise UsageError("--crop is a region of one photo; give --image once with it.")
    region = Region.parse(crop) if crop is not None else None
    for weight, source in map(_weighted, images):
        yield PhotoPart(source, weight, region)


def _weighted(text: str) -> tuple[float, str]:
    """“0.5:herbarium” -> (0.5, “herbarium”); without a number the weight is 1.

    Raises QueryError for what looks like a weight and is none, such as “1,5:herbarium”.
    """
    from bioclip_search.errors import QueryError

    match = _WEIGHTED.fullmatch(text)
    if match is None:
        return 1.0, text
    try:
        return float(match[1]), match[2]
    except ValueError as error:
        raise QueryError(
            f"“{match[1]}” before the colon is no weight; write one such as 1.5:{printable(match[2])}, or put 1: "
            "before words that begin with a number and a colon."
        ) from error
