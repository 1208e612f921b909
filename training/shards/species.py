"""Lists of species, from a text file, a table, or the JSON that BioCLIP's authors publish."""

import json
from collections.abc import Iterator
from pathlib import Path

from bioclip_search.errors import RecordError
from bioclip_search.records import stream_table
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import clean, printable

__all__ = ["read_species", "species_key"]

_TABLES = (".csv", ".tsv")


def species_key(name: str) -> str:
    """What two spellings of one species share: genus and epithet in lower case, without a hybrid's sign."""
    words = [word for word in name.lower().split() if word not in ("×", "x")]
    return " ".join(words[:2])


def read_species(file: Path) -> frozenset[str]:
    """The keys of the species that a file lists.

    A text file has a name a line, a table columns of ranks or `scientificName`. JSON is an object whose keys
    are names, written “Genus epithet” or as all seven ranks with hyphens between them (as the lists of the
    Rare Species benchmark). Raises RecordError for a file that cannot be read or lists no species.
    """
    shown = printable(str(file))
    try:
        names = _names(file)
        found = frozenset(key for name in names if " " in (key := species_key(name)))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"The list of species {shown} cannot be read ({error}); check it.") from error
    if not found:
        raise RecordError(f"{shown} lists no species; write one “Genus epithet” a line.")
    return found


def _names(file: Path) -> Iterator[str]:
    if file.suffix.lower() == ".json":
        listed = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(listed, dict | list):
            raise ValueError("its JSON is neither an object nor a list")
        yield from (_from_ranks(str(name)) for name in listed)
    elif file.suffix.lower() in _TABLES:
        for record in stream_table(file).records:
            yield Taxon.from_ranks(record).species or record.get("scientificName", "")
    else:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        yield from (name for line in lines if (name := clean(line)))


def _from_ranks(name: str) -> str:
    """“Animalia-…-Cyclonaias-tuberculata” -> “Cyclonaias tuberculata”; an epithet may have hyphens of its own."""
    parts = name.split("-", 6)
    return " ".join(parts[5:]) if len(parts) == 7 and " " not in parts[5] else name
