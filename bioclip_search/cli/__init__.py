"""The command line: parse, call, print. Every verb is a module here, imported when it is used."""

import difflib
import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import shell_complete

from bioclip_search._version import __version__
from bioclip_search.cli.lazy import LazyGroup
from bioclip_search.errors import BioclipSearchError
from bioclip_search.lance_import import leave_out_unused
from bioclip_search.text import printable

__all__ = ["bioclip_search", "main"]

_VERBS = {
    "index": "Read folders of photos into the catalogue; photos are only read.",
    "browse": "Walk the catalogue, search it and see the specimens, in the terminal.",
    "search": "Find photos by words, by photos, by what records say, within taxa.",
    "metadata": "Join specimen records to the photos of the catalogue; report what fits.",
    "taxonomy": "Check names against a taxonomy of your own; fill ranks, follow synonyms.",
    "identify": "Say what is on photos, how sure that is, and at which rank.",
    "suggestions": "List what `identify --save` took photos for.",
    "taxa": "Print the tree of taxa with numbers of photos.",
    "export": "Write photos and their records: CSV, Parquet, JSON Lines, Darwin Core Archive.",
    "optimize": "Compact the catalogue and write its indices anew.",
    "history": "List the versions of the catalogue.",
    "restore": "Bring the catalogue back to an earlier version.",
    "info": "Show the catalogue: its place, model, size and last run.",
    "problems": "List the files that could not be indexed, and why.",
    "runs": "List what was done to the catalogue, and when.",
    "relocate": "Tell the catalogue that a folder of photos has moved.",
    "forget": "Remove a folder of photos from the catalogue; the files stay.",
    "train": "Train a model on photos of your own: pack them into shards, then train.",
    "demo": "Paint 300 specimens, index and search them: a first try.",
}


_OUTPUT_ERRORS = {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EINVAL, errno.EBADF}


class _Verbs(LazyGroup):
    """The commands; another word is answered with what may be meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.verbs and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.verbs, n=1)
            meant = f"bioclip-search {near[0]}" if near else f'bioclip-search search "{" ".join(args)}"'
            raise click.UsageError(f"There is no command “{args[0]}”. Did you mean: {meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Verbs,
    verbs=_VERBS,
    prefix="bioclip_search.cli.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "-V", "--version", prog_name="bioclip-search")
def bioclip_search() -> None:
    """Find specimen photographs by words, by a photo or by taxon, on your own machine.

    Begin with `bioclip-search demo`, or with `bioclip-search index PHOTOS`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a question answered with no, 2 an error to mend, 130 after Ctrl-C."""
    _prepare_streams()
    leave_out_unused()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if instruction := os.environ.get("_BIOCLIP_SEARCH_COMPLETE"):
        sys.exit(shell_complete(bioclip_search, {}, "bioclip-search", "_BIOCLIP_SEARCH_COMPLETE", instruction))
    try:
        if not words and _can_browse():
            words = ["browse"]
        with bioclip_search.make_context("bioclip-search", list(words), obj=words) as context:
            code = bioclip_search.invoke(context)
        sys.stdout.flush()
    except BioclipSearchError as error:
        code = _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "bioclip-search"
        code = _complain(f"{error.format_message().rstrip('.')}. (See {command} --help.)", 2)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        code = 130
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS:
            raise
        # The interpreter must not try, and complain, again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # The reader (head, less) has seen enough: that is no error.
        code = 0 if isinstance(error, BrokenPipeError) else _complain(f"The output cannot be written: {error}.", 2)
    sys.exit(code or 0)


def _can_browse() -> bool:
    """Whether there is a terminal to browse in, and a catalogue to browse."""
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder

    return Catalogue.exists(catalogue_folder())


def _prepare_streams() -> None:
    """Names in any script reach a file or a pipe as they are, and a terminal as well as it can show them."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (closed at exit)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="replace")


def _complain(sentence: str, code: int) -> int:
    click.echo(f"Error: {printable(sentence)}", err=True)
    return code
