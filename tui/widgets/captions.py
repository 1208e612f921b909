"""What is written below a thumbnail: one line a name, one line a number."""

from rich.cells import cell_len, set_cell_size

from bioclip_search.query import Hit
from bioclip_search.text import printable
from tui.named import narrowest_name, number_or_file

__all__ = ["full_or_short_name", "number_of", "short_name", "shortened", "shortened_path", "written_score"]


def short_name(hit: Hit) -> str:
    """The scientific name with the genus as a letter, “D. plexippus”; “?” follows one that the record doubts."""
    name = _name(hit)
    if name == hit.taxon.species:
        genus, _, epithet = name.partition(" ")
        name = f"{genus[0]}. {epithet}" if epithet else name
    return _with_doubt(hit, name)


def full_or_short_name(hit: Hit, width: int) -> str:
    """The scientific name where it fits into so many cells, else the short one."""
    full = _with_doubt(hit, _name(hit))
    return full if cell_len(full) <= width else shortened(short_name(hit), width)


def _name(hit: Hit) -> str:
    return narrowest_name(hit) or "unidentified"


def _with_doubt(hit: Hit, name: str) -> str:
    return printable(f"{name}?" if hit.specimen.terms.get("identificationQualifier") else name)


def number_of(hit: Hit) -> str:
    """The catalogue number, else the file's name; “(no file)” where the file was gone when it was looked for."""
    if hit.photo.missing_since is not None:
        return "(no file)"
    return printable(number_or_file(hit))


def written_score(hit: Hit) -> str:
    """The score with two digits behind the point, or nothing for a plain list."""
    return "" if hit.score is None else f"{hit.score:.2f}"


def shortened(text: str, width: int, *, keep_end: bool = False) -> str:
    """The text in at most `width` cells, with “…” for its end, or for its beginning: numbers differ at the end."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    if keep_end:
        return "…" + set_cell_size(text[::-1], width - 1).rstrip()[::-1]
    return set_cell_size(text, width - 1).rstrip() + "…"


def shortened_path(path: str, width: int) -> str:
    """The path in at most `width` cells, with “…” before the file's name, which stays as long as it fits."""
    name = path.rsplit("/", 1)[-1]
    room = width - cell_len(name) - 2
    if cell_len(path) <= width:
        return path
    return shortened(name, width, keep_end=True) if room < 1 else set_cell_size(path, room).rstrip() + "…/" + name
