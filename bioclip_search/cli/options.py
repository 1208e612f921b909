"""Options that several commands share, spelt and explained once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = ["as_of_option", "catalogue_option", "device_options", "format_option", "record_options"]

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

catalogue_option: _Decorator = click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    help="Folder of the catalogue. Default: $BIOCLIP_SEARCH_CATALOGUE, else a folder among your application data.",
)


as_of_option: _Decorator = click.option(
    "--as-of",
    type=click.IntRange(min=1),
    metavar="VERSION",
    help="Read the catalogue as it was at a version that `bioclip-search history` lists.",
)


def format_option(*formats: str) -> _Decorator:
    """`--format`, whose default is the first of the formats."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="What to print on standard output.",
    )


def device_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--device` and `--dtype`; the choices are those of bioclip_search.embedder."""
    device = click.option(
        "--device",
        default="auto",
        show_default=True,
        help="Where the model runs: auto, cpu, cuda (cuda:1 is the second card) or mps.",
    )
    dtype = click.option(
        "--dtype",
        type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
        default="auto",
        show_default=True,
        help="Its numbers; auto takes what is fastest there.",
    )
    return device(dtype(function))


def record_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--map` and `--name-pattern`: how records are read and joined to photos."""
    columns = click.option(
        "--map",
        "columns",
        multiple=True,
        metavar="TERM=COLUMN",
        help="A column that is not called as in Darwin Core: catalogNumber=Barcode,scientificName=Det.",
    )
    patterns = click.option(
        "--name-pattern",
        "name_patterns",
        multiple=True,
        metavar="REGEX",
        help="Where the number is in file names: 'EMEC(?P<catalogNumber>\\d+)'. Common habits are known without it.",
    )
    return columns(patterns(function))
