"""A group of commands that imports none of them to list them."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group whose commands are the `command` of modules, imported when they are used.

    `verbs` are the commands with a line of help each; the module of a verb is called `prefix` and the verb.
    """

    def __init__(self, *args: Any, verbs: Mapping[str, str], prefix: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.verbs = verbs
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.verbs:
            return None
        command: click.Command = importlib.import_module(f"{self._prefix}{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(self.verbs.items()))
