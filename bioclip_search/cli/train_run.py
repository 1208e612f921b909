"""bioclip-search train run"""

from contextlib import nullcontext
from pathlib import Path

import click

from bioclip_search.cli.options import format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import meter
from bioclip_search.text import printable

__all__ = ["command"]


@click.command("run")
@click.argument("recipe")
@click.option(
    "--shards",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder that `train shards` wrote, instead of the recipe's; may be repeated, in equal shares.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run; made if need be.")
@click.option("--resume", is_flag=True, help="Go on after the last checkpoint in OUT, if there is one.")
@click.option("--device", default="auto", show_default=True, help="Where the model is trained: auto, cpu or cuda.")
@format_option("text", "json")
def command(recipe: str, shards: tuple[Path, ...], out: Path, resume: bool, device: str, format_: str) -> int:
    """Train a model by RECIPE: a TOML file, or one that is shipped (bioclip, bioclip-2, finetune, builtin).

    Ctrl-C and SIGTERM save a checkpoint and stop; the same command with --resume goes on, to the same
    result. Checkpoints in OUT are models: `--model OUT/checkpoints/step-00001000`. On several GPUs or
    machines: `torchrun --nproc-per-node GPUS -m bioclip_search train run ...`, OUT on a disk that all see.
    """
    from training.distributed import leads
    from training.loop import run_training
    from training.metrics import Silence
    from training.run_recipe import load_run_recipe

    plan = load_run_recipe(recipe)
    if shards:
        plan = plan.on_shards([folder.absolute() for folder in shards])
    with meter("Training on") if leads() else nullcontext(Silence()) as progress:
        report = run_training(plan, out.absolute(), progress, resume=resume, device=device)
    code = 128 + report.stopped_by if report.stopped_by else 0
    if not leads():
        return code
    if format_ == "json":
        print_json(
            {
                "step": report.step,
                "steps": report.steps,
                "loss": report.loss,
                "checkpoint": str(report.checkpoint),
                "stopped_by": report.stopped_by or None,
            }
        )
    else:
        loss = "" if report.loss is None else f", loss {report.loss:.3f}"
        print_lines([f"Step {report.step:,} of {report.steps:,}{loss}: {printable(str(report.checkpoint))}"])
        if report.stopped_by:
            click.echo("Stopped; the same command with --resume goes on.", err=True)
    return code
