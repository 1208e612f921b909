"""bioclip-search train plot"""

from pathlib import Path

import click

from bioclip_search.cli.options import format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.text import printable

__all__ = ["command"]


@click.command("plot")
@click.argument("run", type=click.Path(path_type=Path))
@format_option("text", "json")
def command(run: Path, format_: str) -> None:
    """Draw RUN/loss.png from RUN/metrics.jsonl: losses, learning rate and accuracy in validation over the steps.

    A run draws it by itself when it ends or is stopped; this is for one that is under way or was killed.
    """
    from bioclip_search.errors import UsageError
    from training.plot import write_plot

    folder, shown = run.absolute(), printable(str(run))
    plotted = write_plot(folder)
    if plotted.path is None and not (folder / "metrics.jsonl").exists():
        raise UsageError(f"{shown} holds no metrics.jsonl of a run; name a folder of `train run`.")
    if plotted.path is None:
        raise UsageError(f"The metrics.jsonl in {shown} tells of no step yet; ask again when the run has done one.")
    if plotted.skipped:
        click.echo(f"Note: skipped lines of metrics.jsonl that are no steps of a run: {plotted.skipped:,}", err=True)
    if format_ == "json":
        print_json({"plot": str(plotted.path), "skipped": plotted.skipped})
    else:
        print_lines([printable(str(plotted.path))])
