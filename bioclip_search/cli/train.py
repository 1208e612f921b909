"""bioclip-search train"""

import click

from bioclip_search.cli.lazy import LazyGroup

__all__ = ["command"]

_VERBS = {
    "shards": "Pack photos and their taxa into shards (WebDataset tars) to train on.",
    "check": "Check that every shard is there and whole.",
    "run": "Train a model on shards by a recipe; stopped anywhere, it goes on to the same result.",
    "recipe": "Print a recipe that is shipped, to read or to begin your own with.",
    "plot": "Draw the losses of a run, at its end or under way.",
    "eval": "Measure a model: zero-shot, few-shot, retrieval, every rank; beside baselines and the papers.",
    "export": "Write a trained model as a folder for --model, with its configuration and card.",
    "texts": "Write text embeddings of taxa, as the TreeOfLife data sets have them.",
    "assemble": "Put iNat21, BIOSCAN-1M and the Encyclopedia of Life together as TreeOfLife-10M.",
}


@click.group("train", cls=LazyGroup, verbs=_VERBS, prefix="bioclip_search.cli.train_", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Train a model on photos of your own, or as BioCLIP was trained.

    Begin with `bioclip-search train shards FOLDER`.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
