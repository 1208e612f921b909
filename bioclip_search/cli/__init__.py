"""The command line: parse, call, print. Every verb is a module here, imported when it is used."""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from bioclip_search._version import __version__
from bioclip_search.errors import BioclipSearchError
from bioclip_search.text import printable

__all__ = ["bioclip_search", "main"]

_VERBS = {
    "index": "Read folders of photos into the catalogue; photos are only read.",
    "search": "Find photos by words, by a photo, by both, within a taxon.",
    "taxa": "Print the tree of taxa with numbers of photos.",
    "info": "Show the catalogue: its place, model, size and last run.",
    "problems": "List the files that could not be indexed, and why.",
    "runs": "List the indexing runs.",
    "relocate": "Tell the catalogue that a folder of photos has moved.",
    "demo": "Paint 300 specimens, index and search them: a first try.",
}


class _LazyGroup(click.Group):
    """A group whose `--help` imports none of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f"bioclip_search.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            raise click.UsageError(
                f"There is no command “{args[0]}”. To search, write: bioclip-search search \"{' '.join(args)}\".", ctx
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "-V", "--version", prog_name="bioclip-search")
def bioclip_search() -> None:
    """Find specimen photographs by words, by a photo or by taxon, on your own machine.

    Begin with `bioclip-search demo`, or with `bioclip-search index PHOTOS`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 an error that the user can mend, 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows “?” instead of failing
    try:
        code = bioclip_search.main(arguments, prog_name="bioclip-search", standalone_mode=False)
        sys.stdout.flush()
    except BioclipSearchError as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        code = 130
    except BrokenPipeError:
        # The reader (head, less) has gone; the interpreter must not complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code or 0)
