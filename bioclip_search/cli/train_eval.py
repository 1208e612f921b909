"""bioclip-search train eval"""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.metadata import column_map
from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.cli.output import print_json, print_lines, print_table
from bioclip_search.cli.progress import meter
from bioclip_search.text import printable

if TYPE_CHECKING:
    from training.evaluation.inquire import Query
    from training.evaluation.photos import Photos
    from training.evaluation.run import Options
    from training.evaluation.tables import Table
    from training.metrics import Progress

__all__ = ["command"]

_INDEX = "index"
_TEXT_TYPES = ("taxon_com", "taxon", "sci", "com", "sci_com")


@click.command("eval")
@click.option(
    "--model",
    "model_name",
    help="The model: bioclip, bioclip-2, hf-hub:ORG/NAME, a folder, builtin. Default: bioclip.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of the results, new or of an evaluation before.",
)
@click.option(
    "--records",
    type=click.Path(path_type=Path),
    metavar="TABLE",
    help="Photos of a CSV or TSV with Darwin Core or TreeOfLife columns that names files, not of the catalogue.",
)
@click.option(
    "--photos",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the files that --records names are. Default: the folder of the table.",
)
@click.option(
    "--map", "columns", multiple=True, metavar="TERM=COLUMN", help="A column of --records that is called otherwise."
)
@click.option("--shards", type=click.Path(path_type=Path), metavar="DIR", help="Photos of a folder of shards.")
@click.option("--split", help="Of --shards: train, val or unseen. Default: val.")
@click.option(
    "--species-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only species that this lists: a name a line, a table, or shards, for those they kept unseen.",
)
@click.option(
    "--text-type",
    "text_types",
    type=click.Choice(_TEXT_TYPES),
    multiple=True,
    help="What species are called in zero-shot; may be repeated. Default: taxon_com.",
)
@click.option(
    "--shots", type=click.IntRange(1, 1000), multiple=True, help="Photos to learn from; may be repeated. Default: 1, 5."
)
@click.option("--folds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Draws of these photos.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides the draws.")
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    metavar="NAME",
    help="Also measure raw-pixels, or random:ViT-B-16 (random weights of any architecture); may be repeated.",
)
@click.option(
    "--queries",
    type=click.Path(path_type=Path),
    metavar="TABLE",
    help="Queries in INQUIRE's format: query_id, query_text, supercategory.",
)
@click.option(
    "--relevant",
    type=click.Path(path_type=Path),
    metavar="TABLE",
    help="The photos that answer them: query_id, image_path. Default: columns of --queries.",
)
@catalogue_option
@device_options
@format_option("table", "json")
def command(model_name: str | None, output: Path, device: str, dtype: str, format_: str, **options: Any) -> int:
    """Measure a model on photos whose species are known: those of the catalogue, of --records or of --shards.

    Zero-shot with 80 templates, few-shot (SimpleShot), retrieval, accuracy at every rank, calibration, and how well
    features agree with the tree of life. DIR gets results.json, results.md, pictures, and the features, so that the
    next run need not read the photos again.

    The accuracy that a run tells of its validation is another one: it asks by default at most 2,000 photos
    (`evaluation.photos` of the recipe), by one caption a taxon, in the numbers of the training; here all photos are
    asked, in 80 templates, in those of --dtype.

    \b
    bioclip-search train eval --model run/checkpoints/step-00001000 --shards shards/ --split unseen --output eval/
    bioclip-search train eval --model builtin --records occurrence.csv --baseline raw-pixels --output eval/
    """
    from bioclip_search.embedder import Embedder
    from bioclip_search.models import DEFAULT_MODEL
    from bioclip_search.paths import absolute
    from training.evaluation.report import as_json, make_folder, write_report
    from training.evaluation.run import evaluate
    from training.evaluation.tables import own_tables, published_tables, summary

    folder, name = absolute(output), model_name or DEFAULT_MODEL
    asked = _options(**options)
    make_folder(folder)
    try:
        with meter("Reading") as progress:
            photos = _photos(folder, progress, **options)
            only = _only(options["species_file"], folder, progress)
            model = Embedder.load(name, device=device, dtype=dtype)
            found = evaluate(photos, model, name, replace(asked, only=only), folder, progress)
    except KeyboardInterrupt:
        click.echo("Stopped; features that were finished are kept. The same command continues.", err=True)
        return 130
    write_report(found, folder)
    if format_ == "json":
        print_json(as_json(found))
        return 0
    print_lines([*map(printable, summary(found)), ""])
    for table in (*own_tables(found), *_asked_for(published_tables(found))):
        _print(table)
    print_lines([f"Results, pictures and all published tables: {printable(str(folder / 'results.md'))}"])
    return 0


def _options(
    text_types: tuple[str, ...],
    shots: tuple[int, ...],
    folds: int,
    seed: int,
    baselines: tuple[str, ...],
    queries: Path | None,
    relevant: Path | None,
    **_: Any,
) -> "Options":
    from bioclip_search.taxonomy import TextType
    from training.evaluation.run import Options

    return Options(
        text_types=tuple(map(TextType, dict.fromkeys(text_types or _TEXT_TYPES[:1]))),
        shots=tuple(sorted(set(shots or (1, 5)))),
        folds=folds,
        seed=seed,
        baselines=tuple(dict.fromkeys(baselines)),
        queries=_queries(queries, relevant),
    )


def _queries(queries: Path | None, relevant: Path | None) -> tuple["Query", ...]:
    from bioclip_search.errors import UsageError
    from bioclip_search.paths import absolute
    from training.evaluation.inquire import read_queries

    if queries is None:
        if relevant:
            raise UsageError("--relevant says which photos answer --queries; give that too.")
        return ()
    return tuple(read_queries(absolute(queries), absolute(relevant) if relevant else None))


def _photos(
    folder: Path,
    progress: "Progress",
    records: Path | None,
    photos: Path | None,
    columns: tuple[str, ...],
    shards: Path | None,
    split: str | None,
    catalogue: Path | None,
    **_: Any,
) -> "Photos":
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import UsageError
    from bioclip_search.paths import absolute
    from training.evaluation.photos import of_catalogue, of_shards, of_table
    from training.shards.table import TableSource

    if sum(source is not None for source in (records, shards, catalogue)) > 1:
        raise UsageError("Photos come from --records, from --shards or from --catalogue; give one of them.")
    if (photos or columns) and records is None:
        raise UsageError("--photos and --map say how --records is read; give that too.")
    if split and shards is None:
        raise UsageError("--split is a part of --shards; give that too.")
    if records:
        place = absolute(photos) if photos else absolute(records).parent
        return of_table(TableSource(absolute(records), place, column_map(columns)), place, progress.say)
    if shards:
        return of_shards(absolute(shards), split or "val", folder / _INDEX, progress.say)
    return of_catalogue(catalogue_folder(catalogue))


def _only(species_file: Path | None, folder: Path, progress: "Progress") -> frozenset[str] | None:
    """The species of a list, or those that a folder of shards kept unseen."""
    from bioclip_search.paths import absolute
    from training.evaluation.photos import of_shards
    from training.shards.species import read_species, species_key

    if species_file is None:
        return None
    place = absolute(species_file)
    if not os.path.isdir(place):
        return read_species(place)
    unseen = of_shards(place, "unseen", folder / _INDEX, progress.say).photos
    return frozenset(species_key(photo.taxon.species) for photo in unseen if photo.taxon.species)


def _asked_for(published: list["Table"]) -> list["Table"]:
    """The tables in which there is a row of our own; the others are in the Markdown."""
    return [table for table in published if table.rows[-1][0].startswith("this model")]


def _print(table: "Table") -> None:
    print_lines([table.title])
    print_table(dict.fromkeys(table.columns, "cyan") | {table.columns[0]: "bold"}, table.rows)
    print_lines([table.note, ""])
