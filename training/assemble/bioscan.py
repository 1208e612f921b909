"""BIOSCAN-1M Insect: the metadata table with ranks and BINs, and images in part1 to part113, in folders or zips.

https://github.com/bioscan-ml/BIOSCAN-1M
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bioclip_search.errors import RecordError
from bioclip_search.records import Record, stream_table
from bioclip_search.text import printable
from training.assemble.files import CollectionFiles
from training.assemble.row import CollectionRow

__all__ = ["Bioscan"]

_RANKS = ("phylum", "class", "order", "family", "genus", "species")
# The collection is of insects only; its table does not say so in every version.
_ALWAYS = {"kingdom": "Animalia", "phylum": "Arthropoda", "class": "Insecta"}


class Bioscan:
    """The images of a folder that holds one metadata table (TSV) as well."""

    name = "bioscan"

    def __init__(self, folder: Path) -> None:
        """Raises RecordError where there is no such table."""
        tables = sorted(folder.rglob("*.tsv"))
        if len(tables) != 1:
            raise RecordError(
                f"{printable(str(folder))} holds {len(tables)} tables (TSV); it needs the one with the metadata of "
                "BIOSCAN-1M beside the images."
            )
        self._folder, self._table = folder, tables[0]
        if missing := {"image_file", "order", "family"}.difference(stream_table(self._table).columns):
            raise RecordError(
                f"{printable(str(self._table))} lacks {', '.join(sorted(missing))}; it is not BIOSCAN-1M's metadata."
            )
        self.unknown: Counter[str] = Counter()

    def rows(self) -> Iterator[CollectionRow]:
        with closing(CollectionFiles(self._folder)) as files:
            for record in stream_table(self._table).records:
                if name := record.get("image_file"):
                    tail = f"part{_whole(record.get('chunk_number', ''))}/{name}".lower()
                    yield _row(files.find(tail), tail, record)


def _row(file: str | None, tail: str, record: Record) -> CollectionRow:
    said = {rank: record[rank] for rank in _RANKS if record.get(rank, "not_classified") != "not_classified"}
    return CollectionRow(
        file,
        f"bioscan:{tail}",
        {**_ALWAYS, **said},
        specimen=record.get("sampleid") or record.get("processid"),
        barcode=record.get("uri"),
    )


def _whole(number: str) -> str:
    """A number that a spreadsheet has written with a point: “18.0” -> “18”."""
    return number.removesuffix(".0")
