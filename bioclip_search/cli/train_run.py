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
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help="Folder of shards of another kind of photos, for a recipe that replays such (bioclip-2).",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run, new or its own.")
@click.option("--resume", is_flag=True, help="Go on after the last checkpoint in OUT, if there is one.")
@click.option("--device", default="auto", show_default=True, help="Where the model is trained: auto, cpu or cuda.")
@click.option("--tensorboard", is_flag=True, help="Also write OUT/tensorboard (needs the extra `train`).")
@format_option("text", "json")
def command(
    recipe: str,
    shards: tuple[Path, ...],
    replay: Path | None,
    out: Path,
    resume: bool,
    device: str,
    tensorboard: bool,
    format_: str,
) -> int:
    """Train a model by RECIPE: a TOML file, or one that is shipped (bioclip, bioclip-2, finetune, builtin; see
    `train recipe`).

    Ctrl-C and SIGTERM save a checkpoint and stop; the same command with --resume goes on, to the same
    result. Checkpoints in OUT are models: `--model OUT/checkpoints/step-00001000`. On several GPUs or
    machines: `torchrun --nproc-per-node GPUS -m bioclip_search train run ...`, OUT on a disk that all see.
    OUT/metrics.jsonl tells of every step, OUT/loss.png shows them at the end.
    """
    from training.distributed import leads
    from training.loop import run_training
    from training.metrics import Silence
    from training.own_folder import require_run_folder
    from training.readers import readers_watched
    from training.run_recipe import load_run_recipe

    require_run_folder(out.absolute())
    plan = load_run_recipe(recipe)
    if shards:
        plan = plan.on_shards([folder.absolute() for folder in shards])
    if replay:
        plan = plan.replaying(replay.absolute())
    with meter("Training on") if leads() else nullcontext(Silence()) as progress, readers_watched():
        report = run_training(plan, out.absolute(), progress, resume=resume, device=device, tensorboard=tensorboard)
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
                "best": {"step": report.best[0], "zero_shot": report.best[1]} if report.best else None,
            }
        )
    else:
        loss = "" if report.loss is None else f", loss {report.loss:.3f}"
        print_lines([f"Step {report.step:,} of {report.steps:,}{loss}: {printable(str(report.checkpoint))}"])
        if report.best:
            step, accuracy = report.best
            print_lines([f"Best in validation: step {step:,}, {accuracy:.1%} named rightly (by one caption a taxon)"])
        if report.stopped_by:
            click.echo("Stopped; the same command with --resume goes on.", err=True)
    return code
