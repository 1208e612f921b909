"""bioclip-search train"""

import importlib

import click

__all__ = ["command"]

_VERBS = {
    "shards": "Pack photos and their taxa into shards (WebDataset tars) to train on.",
    "check": "Check that every shard is there and whole.",
    "run": "Train a model on shards by a recipe; stopped anywhere, it goes on to the same result.",
    "export": "Write a trained model as a folder for --model, with its configuration and card.",
    "texts": "Write text embeddings of taxa, as the TreeOfLife data sets have them.",
    "assemble": "Put iNat21, BIOSCAN-1M and the Encyclopedia of Life together as TreeOfLife-10M.",
}


class _LazyGroup(click.Group):
    """A group whose commands are modules `train_VERB` beside this one, imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f"bioclip_search.cli.train_{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group("train", cls=_LazyGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Train a model on photos of your own, or as BioCLIP was trained.

    Begin with `bioclip-search train shards FOLDER`.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
