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
    from collections.abc import Mapping

    from bioclip_search.catalogue import Catalogue
    from bioclip_search.fingerprint import Fingerprint
    from bioclip_search.journal import Run

__all__ = ["command", "index_facts", "index_line"]


@click.command("info")
@as_of_option
@catalogue_option
@format_option("text", "json")
def command(as_of: int | None, catalogue: Path | None, format_: str) -> None:
    """Show the catalogue: its place, models, number of photos, folders and last indexing run."""
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
    return {
        "catalogue": str(catalogue.folder),
        **_model_facts(catalogue.fingerprint),
        "rows": catalogue.count(),
        "missing": catalogue.count(MISSING),
        "roots": catalogue.roots(),
        **index_facts(catalogue),
        "forText": facts_for_text(catalogue),
        "problems": len(catalogue.journal.problems()),
        "lastRun": _run(catalogue.journal.runs()),
    }


def _model_facts(fingerprint: "Fingerprint") -> dict[str, Any]:
    return {
        "model": fingerprint.model,
        "architecture": fingerprint.architecture,
        "dim": fingerprint.dim,
        "preprocessing": fingerprint.preprocessing,
        "weightsSha256": fingerprint.weights_sha256,
    }


def facts_for_text(catalogue: "Catalogue") -> dict[str, Any] | None:
    """The model for texts, and how many photos it has not embedded; None where the catalogue has none."""
    fingerprint = catalogue.for_text.fingerprint
    if fingerprint is None:
        return None
    lacking = catalogue.for_text.lacking()
    return {**_model_facts(fingerprint), "lacking": lacking, **index_facts(catalogue, for_text=True)}


def index_facts(catalogue: "Catalogue", *, for_text: bool = False) -> dict[str, Any]:
    """How the nearest photos are found, and how well."""
    from dataclasses import asdict

    from bioclip_search.background import Background

    report = catalogue.index_report(for_text=for_text)
    background = Background.read(catalogue, for_text=for_text)
    return {
        "index": None if report.state is None else {**asdict(report.state), "unknown": report.unknown},
        "background": background
        and {"texts": background.reached(is_text=True), "pictures": background.reached(is_text=False)},
    }


def index_line(facts: "Mapping[str, Any]") -> str:
    """The same in words."""
    index = facts["index"]
    if index is None:
        return "all embeddings are compared"
    unknown = f", {index['unknown']:,} photos since" if index["unknown"] else ""
    return (
        f"the index of {index['rows']:,} embeddings, written {index['built']}{unknown}, finds "
        f"{index['recall']:.1%} of the ten nearest"
    )


def _run(runs: "list[Run]") -> dict[str, Any] | None:
    run = next((run for run in runs if any(run.counts[name] for name in COUNTS)), None)
    if run is None:
        return None
    return {"finished": run.finished.isoformat(timespec="seconds"), "seconds": run.seconds, **run.counts}


def _lines(facts: dict[str, Any]) -> list[str]:
    run = facts["lastRun"]
    last = "none"
    if run:
        names = [*COUNTS, *(["pruned"] if run.get("pruned") else [])]
        last = f"{run['finished']}: " + ", ".join(f"{run[name]:,} {name}" for name in names)
    rows = {
        "catalogue": facts["catalogue"],
        "model": _model_line(facts),
        "preprocessing": facts["preprocessing"],
        "photos": f"{facts['rows']:,}" + (f" ({facts['missing']:,} missing)" if facts["missing"] else ""),
        "folders": ", ".join(facts["roots"]) or "none",
        "search": index_line(facts),
        **_lines_for_text(facts["forText"]),
        "problems": "–"
        if facts["problems"] is None
        else f"{facts['problems']:,}" + (" (see bioclip-search problems)" if facts["problems"] else ""),
        "last run": last,
    }
    return [f"{title:<14} {printable(value)}" for title, value in rows.items()]


def _lines_for_text(facts: "Mapping[str, Any] | None") -> dict[str, str]:
    if facts is None:
        return {}
    lacking = f"; {facts['lacking']:,} photos lack it" if facts["lacking"] else ""
    return {"model for text": _model_line(facts) + lacking, "search by it": index_line(facts)}


def _model_line(facts: "Mapping[str, Any]") -> str:
    return f"{facts['model']} ({facts['architecture']}, weights {facts['weightsSha256'][:8]})"
