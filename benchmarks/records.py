"""How long does it take to give a large catalogue its records?

    python benchmarks/records.py --records 100000

Makes a catalogue of as many rows (no photos, random embeddings) and a Darwin Core Archive of 30 columns,
and prints the seconds of reading, joining and writing, of a second import in which nothing is new, and
the peak of resident memory.
"""

import csv
import io
import json
import resource
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np

from bioclip_search.catalogue import Catalogue
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.models import BUILTIN, locate_model
from bioclip_search.preprocessing import Fit
from bioclip_search.records import read_records
from bioclip_search.specimen import Photo
from bioclip_search.terms import SPECIMEN_TERMS
from indexer.attach import attach, join_records

_AT_ONCE = 5_000


@click.command()
@click.option("--records", default=100_000, help="Records, and photos.")
def main(records: int) -> None:
    """Measure and print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        catalogue = _catalogue(place / "catalogue", locate_model(BUILTIN).fingerprint(Fit.SQUASH), records)
        archive = _archive(place / "records.zip", records)
        figures: dict[str, float] = {"records": records, "peak_mb_before": _peak_mb()}
        for name in ("first", "second"):
            began = time.perf_counter()
            joined = join_records(catalogue, read_records(archive))
            figures[f"{name}_read_and_join_seconds"] = time.perf_counter() - began
            figures[f"{name}_updated"] = attach(catalogue, joined).updated
            figures[f"{name}_seconds"] = time.perf_counter() - began
        figures["peak_mb"] = _peak_mb()
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _catalogue(folder: Path, fingerprint: Fingerprint, count: int) -> Catalogue:
    catalogue = Catalogue.create(folder, fingerprint)
    rng = np.random.default_rng(0)
    now = datetime.now(UTC)
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        photos = [
            Photo("/archive", f"{n // 500}/NHM_{n:08d}_dorsal.jpg", 1, now, f"{n:064x}", 10, 10, now) for n in numbers
        ]
        vectors = rng.normal(size=(len(photos), fingerprint.dim)).astype(np.float32)
        catalogue.upsert(photos, vectors, [b"\xff"] * len(photos))
    return catalogue


def _archive(path: Path, count: int) -> Path:
    columns = [name for name in SPECIMEN_TERMS if name not in ("species", "nameAccordingTo", "acceptedNameUsage")]
    fields = "".join(
        f'<field index="{at}" term="http://rs.tdwg.org/dwc/terms/{name}"/>' for at, name in enumerate(columns)
    )
    meta = (
        '<archive xmlns="http://rs.tdwg.org/dwc/text/"><core encoding="UTF-8" fieldsTerminatedBy="," '
        'linesTerminatedBy="\\n" fieldsEnclosedBy=\'"\' ignoreHeaderLines="1" '
        'rowType="http://rs.tdwg.org/dwc/terms/Occurrence"><files><location>occurrence.csv</location></files>'
        f'<id index="0"/>{fields}</core></archive>'
    )
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    for n in range(count):
        row = {name: f"{name} of {n % 97}" for name in columns}
        row |= {
            "occurrenceID": f"urn:catalog:NHM:Ent:{n}",
            "catalogNumber": f"NHM {n:08d}",
            "year": str(1850 + n % 150),
        }
        row |= {
            "scientificName": f"Genus{n % 900} species{n % 7000} Linnaeus, 1758",
            "genus": "",
            "specificEpithet": "",
        }
        writer.writerow(row)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.xml", meta)
        archive.writestr("occurrence.csv", table.getvalue())
    return path


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
