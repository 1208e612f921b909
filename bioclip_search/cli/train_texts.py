"""bioclip-search train texts"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import meter
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.identification.taxa import TaxonTable

__all__ = ["command"]


@click.command("texts")
@click.argument("output", type=click.Path(path_type=Path), metavar="FILE.npy")
@click.option("--model", help="As in `index`. Default: the catalogue's, else bioclip.")
@click.option(
    "--taxa",
    type=click.Path(path_type=Path),
    metavar="LIST",
    help="A name a line, a table with Darwin Core's ranks, or the JSON of other text embeddings. "
    "Default: the catalogue's taxa.",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@device_options
@catalogue_option
@format_option("text", "json")
def command(
    output: Path,
    model: str | None,
    taxa: Path | None,
    force: bool,
    device: str,
    dtype: str,
    catalogue: Path | None,
    format_: str,
) -> int:
    """Write the text embeddings of taxa as FILE.npy and FILE.json, in the layout of the TreeOfLife data sets.

    FILE.model.json beside them says of which model they are, so that `identify` takes no other.

    Each taxon is put to the model by its seven names and its common name in the 80 templates of CLIP. What was
    interrupted goes on with the same command. `identify --text-embeddings FILE.npy` reads them.

    \b
    bioclip-search train texts texts.npy --model my-model/ --taxa checklist.csv
    """
    from bioclip_search.embedder import Embedder
    from bioclip_search.models import DEFAULT_MODEL
    from bioclip_search.paths import absolute
    from training.texts import read_taxa, write_texts

    table = _catalogue_taxa(catalogue) if taxa is None else read_taxa(absolute(taxa))
    name = model or (_catalogue_model(catalogue) if taxa is None else DEFAULT_MODEL)
    try:
        with meter("Embedding", "taxa") as progress:
            embedder = Embedder.load(name, device=device, dtype=dtype)
            report = write_texts(embedder, table, absolute(output), progress, force=force)
    except KeyboardInterrupt:
        click.echo("Stopped; the same command goes on.", err=True)
        return 130
    if format_ == "json":
        print_json({"file": str(report.file), "taxa": report.taxa, "dim": report.dim})
    else:
        print_lines([f"{report.taxa:,} taxa in {report.dim} dimensions: {printable(str(report.file))}"])
    return 0


def _catalogue_taxa(catalogue: Path | None) -> "TaxonTable":
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.identification.taxa import TaxonTable

    found = Catalogue.open(catalogue_folder(catalogue)).taxa()
    return TaxonTable.of(one.taxon for one in found).distinct()[0]


def _catalogue_model(catalogue: Path | None) -> str:
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder

    return Catalogue.open(catalogue_folder(catalogue)).fingerprint.model
