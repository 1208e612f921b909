"""bioclip-search train export"""

from pathlib import Path

import click

from bioclip_search.cli.options import format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.text import printable

__all__ = ["command"]


@click.command("export")
@click.argument("source", metavar="RUN_OR_CHECKPOINT", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Where the model is put."
)
@click.option("--best", is_flag=True, help="The checkpoint that was best in validation, where the recipe evaluates.")
@click.option("--ema", is_flag=True, help="The running mean of the weights, where the recipe kept one.")
@click.option(
    "--dtype",
    type=click.Choice(["as-trained", "float32", "bfloat16", "float16"]),
    default="as-trained",
    show_default=True,
    help="Numbers of the weights; float16 halves the files and rounds.",
)
@click.option(
    "--measured",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Markdown for the card, such as `train eval` writes; pictures beside it go along. Without it the card says "
    "that nothing was measured.",
)
@click.option("--force", is_flag=True, help="Replace a model that is in FOLDER.")
@format_option("text", "json")
def command(
    source: Path,
    output: Path,
    best: bool,
    ema: bool,
    dtype: str,
    measured: Path | None,
    force: bool,
    format_: str,
) -> None:
    """Write a trained model, by default a run's newest, as a folder for --model, with its configuration and card.

    \b
    bioclip-search train export run/ --output my-model/
    bioclip-search index photos/ --model my-model/
    """
    from bioclip_search.paths import absolute
    from training.export import best_checkpoint, export_model, newest_checkpoint
    from training.measured import read_measured
    from training.model_card import CardWords

    found = best_checkpoint(absolute(source)) if best else newest_checkpoint(absolute(source))
    told = read_measured(absolute(measured)) if measured else None
    words = CardWords(measured=told.markdown, pictures=told.pictures) if told else CardWords()
    exported = export_model(found, absolute(output), ema=ema, numbers=dtype, force=force, words=words)
    if format_ == "json":
        print_json(
            {
                "folder": str(exported.folder),
                "checkpoint": str(found),
                "step": exported.step,
                "bytes": exported.bytes,
            }
        )
    else:
        print_lines([f"Step {exported.step:,}, {exported.bytes / 1e6:,.1f} MB: {printable(str(exported.folder))}"])
