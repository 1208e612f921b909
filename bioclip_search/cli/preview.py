"""Hits as thumbnails in the terminal: what `search --preview` prints."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.output import console, print_lines
from bioclip_search.errors import PhotoError, UsageError
from bioclip_search.text import printable

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import RenderableType
    from rich.segment import Segment

    from bioclip_search.catalogue import Catalogue
    from bioclip_search.query import Hit
    from tui.images import Mode

__all__ = ["mode_of_preview", "preview_options", "print_preview"]

_WIDTH, _HEIGHT, _GAP = 18, 8, 2
_PIXELS_OF_CELL = (16, 32)
_ROWS_AT_ONCE = 20
_ANY_WIDTH = 10_000


def preview_options(function: Any) -> Any:
    """`--preview` and `--images`; the choices of the latter are those of tui.images.Mode that show something."""
    preview = click.option(
        "--preview",
        is_flag=True,
        help="Print the thumbnails of the hits in place of the table. For a terminal; with FORCE_COLOR=1 also for a "
        "pager that shows colours (less -R). With NO_COLOR they have two tones.",
    )
    images = click.option(
        "--images",
        "drawn_with",
        type=click.Choice(["auto", "kitty", "sixel", "blocks"]),
        help="What --preview draws with: Kitty graphics and sixels are sharp where the terminal has them, blocks of "
        "colour are shown everywhere. Default: auto, which asks the terminal.",
    )
    return preview(images(function))


def mode_of_preview(
    *, preview: bool, drawn_with: str | None, format_: str, why: bool, batch: str | None
) -> "Mode | None":
    """What to draw with, or None without --preview. Raises UsageError for options that say otherwise."""
    if not preview:
        if drawn_with is not None:
            raise UsageError("--images says how --preview draws; add --preview, or leave it out.")
        return None
    if format_ != "table" or why or batch is not None:
        raise UsageError("--preview prints pictures in place of the table; leave --format, --why and --batch out.")
    if not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        raise UsageError(
            "--preview draws on a terminal, and the output goes elsewhere; leave it out, "
            "or set FORCE_COLOR=1 for a pager that shows colours (less -R)."
        )
    from tui.images import Mode, detect

    # Whoever wants no colours gets them where the graphics are asked for by name.
    usual = Mode.BLOCKS if os.environ.get("NO_COLOR") else Mode.AUTO
    return detect(usual if drawn_with is None else Mode(drawn_with))


def print_preview(hits: Sequence["Hit"], catalogue: "Catalogue", mode: "Mode") -> None:
    """Print the thumbnails of hits side by side, as many as there is room for, with name, score and number below."""
    from bioclip_search.schema import photo_id

    if not hits:
        print_lines(["No photos were found."])
        return
    width = shutil.get_terminal_size().columns
    columns = max(1, (width + _GAP) // (_WIDTH + _GAP))
    at_once = columns * _ROWS_AT_ONCE
    for start in range(0, len(hits), at_once):
        keys = [photo_id(hit.photo.root, hit.photo.path) for hit in hits[start : start + at_once]]
        thumbnails = catalogue.thumbnails(keys)
        tiles = [
            _tile(hit, thumbnails.get(key), min(_WIDTH, width)) for hit, key in zip(hits[start:], keys, strict=False)
        ]
        for first in range(0, len(tiles), columns):
            _print_row(tiles[first : first + columns], mode)


@dataclass(frozen=True, slots=True)
class _Tile:
    """A thumbnail, the cells that it may and does take, and the captions; `instead` stands where there is none."""

    image: "Image.Image | None"
    room: int
    width: int
    height: int
    instead: str
    name: str
    number: str


def _tile(hit: "Hit", thumbnail: bytes | None, room: int) -> _Tile:
    from bioclip_search.photo import open_photo
    from tui.images import fitted
    from tui.widgets.captions import full_or_short_name, number_of, shortened, written_score

    score = written_score(hit)
    number = shortened(number_of(hit), room - len(score) - bool(score), keep_end=True)
    captions = (full_or_short_name(hit, room), f"{score} {number}".strip())
    try:
        image = open_photo(thumbnail).image if thumbnail else None
    except PhotoError:
        return _Tile(None, room, room, 1, "unreadable", *captions)
    if image is None:
        return _Tile(None, room, room, 1, "no thumbnail", *captions)
    quarters = fitted(image.size, room, _HEIGHT)
    return _Tile(image, room, -(-quarters[0] // 2), -(-quarters[1] // 2), "", *captions)


def _print_row(tiles: Sequence[_Tile], mode: "Mode") -> None:
    from rich.console import Console
    from rich.segment import Segment, SegmentLines
    from rich.style import Style

    output = console()
    height = max(tile.height for tile in tiles)
    graphic = _graphic(tiles, height, mode)
    if graphic is not None:
        # Kitty is told by the colour of the cells which picture is meant.
        Console(color_system="truecolor", no_color=False, force_terminal=True, width=_ANY_WIDTH).print(graphic, end="")
    lines = [] if graphic is not None else _drawn(tiles, height, output)
    lines.append([_filled(tile.name, Style(italic=True)) for tile in tiles])
    lines.append([_filled(tile.number, Style(dim=True)) for tile in tiles])
    # Without the blanks behind the last tile, which may be wider than the terminal.
    cut = [Segment.adjust_line_length(line, _width_of(tiles), pad=False) for line in lines]
    output.print(SegmentLines([*cut, []], new_lines=True), end="")


def _width_of(tiles: Sequence[_Tile]) -> int:
    return (len(tiles) - 1) * (_WIDTH + _GAP) + tiles[-1].room


def _filled(text: str, style: Any) -> "Segment":
    from rich.cells import set_cell_size
    from rich.segment import Segment

    return Segment(set_cell_size(printable(text), _WIDTH + _GAP), style)


def _drawn(tiles: Sequence[_Tile], height: int, output: Any) -> "list[list[Segment]]":
    """The lines of a row of tiles, in blocks, or in two tones where the output has no colours."""
    is_plain = output.no_color or output.color_system is None
    pictures = [list(_lines(tile, height, is_plain)) for tile in tiles]
    return [[segment for picture in pictures for segment in picture[line]] for line in range(height)]


def _lines(tile: _Tile, height: int, is_plain: bool) -> "Iterator[list[Segment]]":
    """`height` lines of a tile, each _WIDTH + _GAP cells wide; the picture stands in the middle of the height."""
    from rich.segment import Segment

    above = (height - tile.height) // 2
    blank = [Segment(" " * (_WIDTH + _GAP))]
    yield from [blank] * above
    for line in _picture(tile, is_plain):
        yield [*line, Segment(" " * (_WIDTH + _GAP - tile.width))]
    yield from [blank] * (height - above - tile.height)


def _picture(tile: _Tile, is_plain: bool) -> "Iterator[list[Segment]]":
    from rich.segment import Segment

    from tui.images import blocks, two_tone

    if tile.image is None:
        yield [Segment(tile.instead.center(tile.width))]
    elif is_plain:
        yield from ([Segment(line)] for line in two_tone(tile.image, tile.width, tile.height))
    else:
        # Made to fill its cells, for what lies behind them in this terminal is not known.
        filling = tile.image.resize((tile.width * 8, tile.height * 16))
        yield from blocks(filling, tile.width, tile.height, (0, 0, 0))


def _graphic(tiles: Sequence[_Tile], height: int, mode: "Mode") -> "RenderableType | None":
    """The pictures of a row as one graphic, for Kitty and sixels; else None."""
    from PIL import Image

    from tui.images import Mode
    from tui.images.protocol import renderables

    kinds = renderables() if mode in (Mode.KITTY, Mode.SIXEL) else None
    if kinds is None:
        return None
    across, down = _PIXELS_OF_CELL
    width = _width_of(tiles)
    canvas = Image.new("RGBA", (width * across, height * down))
    for place, tile in enumerate(tiles):
        if tile.image is not None:
            picture = tile.image.resize((tile.width * across, tile.height * down))
            canvas.paste(picture, (place * (_WIDTH + _GAP) * across, (height - tile.height) * down // 2))
    kind = kinds.TGPImage if mode is Mode.KITTY else kinds.SixelImage
    graphic: RenderableType = kind(canvas, width=width, height=height)
    return graphic
