"""bioclip-search browse"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.cli.options import catalogue_option, device_options

if TYPE_CHECKING:
    from tui.browsed import BrowsedCatalogue
    from tui.config import Config

__all__ = ["command"]


@click.command("browse")
@catalogue_option
@click.option("--model", help="Where the catalogue's model is now, if not where it was.")
@click.option(
    "--images",
    type=click.Choice(["auto", "kitty", "sixel", "blocks", "none"]),
    help="How pictures are drawn; auto asks the terminal what it can show.",
)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal, for selecting text.")
@click.option("--theme", type=click.Choice(["dark", "light"]), help="The colours.")
@click.option("--web", is_flag=True, help="Show the same in a web browser on this computer.")
@click.option("--port", type=click.IntRange(1, 65535), default=8377, show_default=True, help="The port for --web.")
@device_options
def command(
    catalogue: Path | None,
    model: str | None,
    images: str | None,
    no_mouse: bool,
    theme: str | None,
    web: bool,
    port: int,
    device: str,
    dtype: str,
) -> int | None:
    """Walk the catalogue by taxon, search it and see the specimens, in the terminal.

    ? tells all keys. Keys, colours and more can be set in a file, whose place the help tells. Everything that can
    be done here has a command of its own as well: search, taxa, identify, export.
    """
    from dataclasses import replace

    from bioclip_search.config import catalogue_folder
    from tui.config import config_file, read_config

    folder = catalogue_folder(catalogue)
    config = read_config(config_file())
    if config.keys:
        from tui.keymap import require_keys

        require_keys(config.keys, config_file())
    config = replace(config, theme=theme or config.theme, images=images or config.images)
    if web:
        from tui.web import serve

        arguments = ["--catalogue", str(folder), "--device", device, "--dtype", dtype, "--theme", config.theme]
        arguments += ["--images", config.images, *(["--no-mouse"] if no_mouse else [])]
        return serve([*arguments, *(["--model", model] if model else [])], port)
    return _browse(folder, model, device, dtype, replace(config, mouse=config.mouse and not no_mouse))


def _browse(folder: Path, model: str | None, device: str, dtype: str, config: "Config") -> int | None:
    from tui import process
    from tui.images import Mode, detect

    _require_terminal()
    process.set_up()
    # The terminal is asked what it can show before Textual reads its answers as keys.
    mode = detect(Mode(config.images))

    from tui.app import BrowseApp

    def open_catalogue() -> "BrowsedCatalogue":
        from tui.browsed import BrowsedCatalogue

        opened = BrowsedCatalogue.open(folder, model=model, device=device, dtype=dtype)
        process.settle()
        return opened

    app = BrowseApp(open_catalogue, folder=folder, images=mode, config=config, upkeep=process.Upkeep())
    app.run(mouse=config.mouse)
    process.leave()
    return app.return_code


def _require_terminal() -> None:
    """Raise UsageError where nobody could see the screen or press a key."""
    import os
    import sys

    from bioclip_search.errors import UsageError

    is_served = "TEXTUAL_DRIVER" in os.environ  # to a web browser
    is_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    if not is_served and (not is_terminal or os.environ.get("TERM") == "dumb"):
        raise UsageError("To browse takes a terminal; elsewhere `bioclip-search search` and `taxa` tell the same.")
