"""bioclip-search identify"""

from pathlib import Path
from typing import Any

import click

from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.taxonomy import RANKS

__all__ = ["command"]


@click.command("identify")
@click.argument("photos", nargs=-1, metavar="[PHOTO]...", type=click.Path(path_type=Path))
@click.option(
    "--taxon",
    multiple=True,
    metavar="NAME",
    help="Only taxa that belong to this one, of any rank; several are allowed. `unidentified` instead of PHOTO: "
    "the photos of the catalogue without a determination.",
)
@click.option(
    "--taxa",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Choose among these taxa: a name a line, or a table with Darwin Core's ranks or scientificName. "
    "Default: those of the catalogue.",
)
@click.option(
    "--text-embeddings",
    type=click.Path(path_type=Path),
    metavar="FILE.npy",
    help="Choose among the taxa of text embeddings, of `train texts` or the TreeOfLife data sets, with FILE.json (and, "
    "to check the model, FILE.model.json) beside it.",
)
@click.option(
    "--method",
    type=click.Choice(["zero-shot", "neighbours", "centroids"]),
    help="Compare with the texts of taxa, with the nearest determined photos, or with the mean of each taxon's "
    "photos.  [default: zero-shot]",
)
@click.option("--neighbours", type=click.IntRange(1, 1000), help="How many photos vote.  [default: 20]")
@click.option(
    "--rank", type=click.Choice([rank.value for rank in RANKS]), help="Go no further than this.  [default: species]"
)
@click.option(
    "--confidence",
    type=float,
    help="The answer is the narrowest rank with at least this probability.  [default: 0.8]",
)
@click.option(
    "-k", "limit", type=click.IntRange(1, 10_000), help="Candidates a photo.  [default: 5, in a table 3; all labels]"
)
@click.option(
    "--temperature",
    type=float,
    help="Divide logits by this, from 0.01 to 100.  [default: what --calibrate has kept, else 1]",
)
@click.option(
    "--calibrate", is_flag=True, help="Fit the temperature on the catalogue's determined photos, and keep it there."
)
@click.option("--labels", help="Labels instead of taxa: separated by commas, or a file with one a line.")
@click.option(
    "--bins",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Labels and, in the second column, the bin each counts for; the first line is a header.",
)
@click.option(
    "--save", is_flag=True, help="Keep the answers as suggestions, apart from determinations; see `suggestions`."
)
@click.option("--model", help="Where the catalogue's model is now; or, where no catalogue is needed, any model.")
@catalogue_option
@device_options
@format_option("table", "json", "csv", "pybioclip")
def command(**options: Any) -> None:
    """Say what is on photos (files or folders), and how sure that is, at any rank.

    The answer is the narrowest rank that is certain enough; candidates below it are shown beside. With
    --format pybioclip columns, pixels and scores are pybioclip's.

    \b
    bioclip-search identify unknown.jpg drawer12/
    bioclip-search identify --taxon unidentified --method neighbours --save
    bioclip-search identify wing.jpg --taxon Nymphalidae --rank genus
    bioclip-search identify wing.jpg --labels "dorsal view,ventral view,label only"
    """
    from bioclip_search.cli.identify_options import Asked
    from bioclip_search.cli.identifying import run

    run(Asked(**options))
