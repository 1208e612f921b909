"""Ask before something is lost."""

import click

__all__ = ["require_consent"]


def require_consent(question: str) -> None:
    """Ask on the terminal; unless the answer is yes, say that nothing was changed, and exit with 1."""
    if not click.confirm(question, err=True):
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(1)
