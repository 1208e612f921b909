"""bioclip-search info"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.options import as_of_option, catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.journal import COUNTS
from bioclip_search.schema import MISSING
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.journal import Run

__all__ = ["command"]


@click.command("info")
@as_of_option
@catalogue_option
@format_option("text", "json")
def command(as_of: int | None, catalogue: Path | None, format_: str) -> None:
    """Show the catalogue: its place, model, number of photos, folders and last indexing run."""
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder

    facts = _facts(Catalogue.open(catalogue_folder(catalogue), as_of))
    if as_of is not None:
        facts |= {"problems": None, "lastRun": None}  # these are of today
    if format_ == "json":
        print_json(facts)
    else:
        print_lines(_lines(facts))


def _facts(catalogue: "Catalogue") -> dict[str, Any]:
    fingerprint = catalogue.fingerprint
    return {
        "catalogue": str(catalogue.folder),
        "model": fingerprint.model,
        "architecture": fingerprint.architecture,
        "dim": fingerprint.dim,
        "preprocessing": fingerprint.preprocessing,
        "weightsSha256": fingerprint.weights_sha256,
        "rows": catalogue.count(),
        "missing": catalogue.count(MISSING),
        "roots": catalogue.roots(),
        "problems": len(catalogue.journal.problems()),
        "lastRun": _run(catalogue.journal.runs()),
    }


def _run(runs: "list[Run]") -> dict[str, Any] | None:
    run = next((run for run in runs if any(run.counts.values())), None)
    if run is None:
        return None
    return {"finished": run.finished.isoformat(timespec="seconds"), "seconds": run.seconds, **run.counts}


def _lines(facts: dict[str, Any]) -> list[str]:
    run = facts["lastRun"]
    last = f"{run['finished']}: " + ", ".join(f"{run[name]:,} {name}" for name in COUNTS) if run else "none"
    rows = {
        "catalogue": facts["catalogue"],
        "model": f"{facts['model']} ({facts['architecture']}, weights {facts['weightsSha256'][:8]})",
        "preprocessing": facts["preprocessing"],
        "photos": f"{facts['rows']:,}" + (f" ({facts['missing']:,} missing)" if facts["missing"] else ""),
        "folders": ", ".join(facts["roots"]) or "none",
        "problems": "–"
        if facts["problems"] is None
        else f"{facts['problems']:,}" + (" (see bioclip-search problems)" if facts["problems"] else ""),
        "last run": last,
    }
    return [f"{title:<14} {printable(value)}" for title, value in rows.items()]
