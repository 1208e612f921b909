"""bioclip-search optimize"""

from pathlib import Path

import click

from bioclip_search.cli.options import catalogue_option, device_options, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.text import printable

__all__ = ["command"]


@click.command("optimize")
@click.option("--model", help="Where the catalogue's model is now, if not where it was.")
@click.option("--no-model", is_flag=True, help="Leave out what needs the model: what unrelated queries reach.")
@catalogue_option
@device_options
@format_option("text", "json")
def command(model: str | None, no_model: bool, catalogue: Path | None, device: str, dtype: str, format_: str) -> None:
    """Compact the catalogue and write its indices anew.

    Indexing does this by itself when enough has changed. Photos are found without it too, only slower.
    """
    from bioclip_search.background import measure_background
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.cli.info import facts_for_text, index_facts, index_line
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import ModelError
    from bioclip_search.loading import model_loader

    opened = Catalogue.open(catalogue_folder(catalogue))
    opened.optimize(anew=True)
    if not no_model and opened.count():
        measure_background(opened, model_loader(opened, model, device=device, dtype=dtype)())
        if opened.for_text.fingerprint is not None:
            try:
                embedder = model_loader(opened, for_text=True, device=device, dtype=dtype)()
                measure_background(opened, embedder, for_text=True)
            except ModelError as error:
                click.echo(f"What unrelated queries reach by the model for texts was not measured: {error}", err=True)
    facts = {**index_facts(opened), "forText": facts_for_text(opened)}
    if format_ == "json":
        print_json(facts)
    else:
        print_lines([printable(f"The catalogue is compact; {index_line(facts)}.")])
