"""Index folders of photos: walk, compare, decode, embed, write. The photos are only read.

Every batch is committed as it is done, so that stopping anywhere loses nothing but the batch
in hand, and the next run does the rest.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bioclip_search._version import __version__
from bioclip_search.catalogue import Catalogue
from bioclip_search.darwin_core import read_records, specimen_of
from bioclip_search.embedder import Embedder
from bioclip_search.errors import UsageError
from bioclip_search.journal import Problem, Run
from bioclip_search.models import DEFAULT_MODEL, locate_model
from bioclip_search.preprocessing import Fit
from bioclip_search.specimen import Specimen
from bioclip_search.text import printable
from indexer.decode import decode, decode_ahead
from indexer.folders import taxon_from_folders
from indexer.join import RecordIndex
from indexer.plan import Place, Plan, make_plan, scopes_of
from indexer.report import IndexReport, Observer, note
from indexer.walk import PHOTO_FORMATS, is_below
from indexer.writer import Writer

__all__ = ["IndexOptions", "index"]


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What to index, into which catalogue, with which model.

    `model` and `fit` None mean those of the catalogue, or the defaults for a new one.
    `workers` decode while batches of `batch_size` photos are embedded; what is done is committed
    every `commit_seconds`. `prune` removes the rows of missing files, `dry_run` only counts what
    there is to do; `command` is remembered with the run.
    """

    paths: tuple[Path, ...]
    catalogue: Path
    metadata: Path | None = None
    taxa_from_folders: bool = False
    model: str | None = None
    fit: Fit | None = None
    device: str = "auto"
    dtype: str = "auto"
    workers: int = 4
    batch_size: int = 64
    commit_seconds: float = 10.0
    prune: bool = False
    dry_run: bool = False
    command: str = ""


def index(options: IndexOptions, observer: Observer) -> IndexReport:
    """Bring the catalogue up to date with the folders.

    Ctrl-C (KeyboardInterrupt) finishes and commits the batch in hand; the report then says
    `interrupted`. Raises UsageError, RecordError, ModelError or CatalogueError.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    scopes = scopes_of(options.paths, options.catalogue)
    records = RecordIndex(read_records(options.metadata)) if options.metadata else None
    describe = partial(_describe, records=records, from_folders=options.taxa_from_folders)
    catalogue = Catalogue.open(options.catalogue) if Catalogue.exists(options.catalogue) else None
    plan = make_plan(scopes, catalogue)
    _check_any_photos(plan, scopes)
    report = IndexReport(unchanged=len(plan.unchanged), missing=len(plan.missing))
    if options.dry_run:
        report.new, report.changed = len(plan.new), len(plan.changed)
        return report
    catalogue, embedder = _with_model(options, catalogue, needed=bool(plan.new or plan.changed))
    for folder, reason in plan.unreadable:
        note(Problem(printable(str(folder)), f"the folder was passed over: {reason}"), report, observer)
    for file in plan.unnameable:
        note(Problem(printable(str(file)), "the name is not valid Unicode; rename the file"), report, observer)
    if embedder is not None:
        observer.begin(len(plan.new) + len(plan.changed))
        writer = Writer(catalogue, embedder, plan, report, observer, describe, options.commit_seconds)
        work = partial(decode, preprocessing=embedder.preprocessing, known=catalogue.content_hashes())
        files = [*plan.new, *plan.changed]
        with closing(decode_ahead(files, work, options.workers, ahead=2 * options.batch_size)) as results:
            writer.write_all(results, options.batch_size)
    _settle_unchanged(catalogue, plan, describe)
    report.missing = len(plan.missing)
    if options.prune and not report.interrupted:
        _prune(catalogue, plan, report, observer)
    catalogue.optimize()
    report.seconds = time.monotonic() - clock
    _write_journal(catalogue, scopes, report, options.command, started)
    return report


def _prune(catalogue: Catalogue, plan: Plan, report: IndexReport, observer: Observer) -> None:
    """Remove the rows of missing files; more than a tenth of the catalogue only with consent."""
    gone, rows = len(plan.missing), catalogue.count()
    if gone * 10 <= rows or observer.may_prune(gone, rows):
        catalogue.remove(list(plan.missing))
        report.pruned, report.missing = gone, 0


def _write_journal(
    catalogue: Catalogue, scopes: Sequence[Path], report: IndexReport, command: str, started: datetime
) -> None:
    """Remember the run and its problems; those of files that were tried again are forgotten."""
    bounds = [printable(str(scope)) for scope in scopes]
    remembered = [] if report.interrupted else catalogue.journal.problems()
    settled = [problem.path for problem in remembered if is_below(problem.path, bounds)]
    catalogue.journal.settle_problems(settled, report.problems)
    finished = datetime.now(UTC)
    model = catalogue.fingerprint.to_json()
    catalogue.journal.record_run(Run(started, finished, command, __version__, model, report.counts))


def _check_any_photos(plan: Plan, scopes: Sequence[Path]) -> None:
    if plan.places:
        return
    if plan.unreadable:
        folder, reason = plan.unreadable[0]
        raise UsageError(f"The folder {printable(str(folder))} was passed over: {reason}")
    places = ", ".join(printable(str(scope)) for scope in scopes)
    formats = ", ".join(PHOTO_FORMATS)
    raise UsageError(
        f"There are no photos in {places}; the catalogue is left as it is. "
        f"Is the drive connected? What counts as a photo: {formats}."
    )


def _with_model(
    options: IndexOptions, catalogue: Catalogue | None, *, needed: bool
) -> tuple[Catalogue, Embedder | None]:
    """The catalogue, made if there is none, and its model, loaded only if photos must be embedded.

    A model that the user named is compared with the catalogue's even when it is not needed.
    """
    built_with = catalogue.fingerprint if catalogue else None
    name = options.model or (built_with.model if built_with else DEFAULT_MODEL)
    fit = options.fit or (built_with.fit if built_with else Fit.SQUASH)
    if catalogue is not None and (needed or options.model or options.fit):
        catalogue.require_model(locate_model(name).fingerprint(fit))
    embedder = Embedder.load(name, device=options.device, dtype=options.dtype, fit=fit) if needed else None
    if catalogue is None:
        assert embedder is not None  # noqa: S101 (without a catalogue every photo is new)
        catalogue = Catalogue.create(options.catalogue, embedder.fingerprint)
    return catalogue, embedder


def _describe(place: Place, records: RecordIndex | None, *, from_folders: bool) -> Specimen | None:
    """The specimen by record, else by folder names; None when neither says anything."""
    if records is not None and (record := records.find(place.path)):
        return specimen_of(record)
    if from_folders:
        folders = [*Path(place.root).parts[-1:], *place.path.split("/")[:-1]]
        taxon = taxon_from_folders(folders)
        if taxon.rank is not None:
            return Specimen(taxon=taxon, scientific_name=taxon.scientific_name)
    return None


def _settle_unchanged(catalogue: Catalogue, plan: Plan, describe: Callable[[Place], Specimen | None]) -> None:
    """Bring records and presence of files up to date whose content needs no work."""
    wanted = {key: specimen for key, place in plan.unchanged.items() if (specimen := describe(place))}
    present = catalogue.specimens(list(wanted))
    catalogue.describe({key: specimen for key, specimen in wanted.items() if present.get(key) != specimen})
    catalogue.mark_missing(plan.returned, None)
    newly_gone = [key for key, file in plan.missing.items() if file.missing_since is None]
    catalogue.mark_missing(newly_gone, datetime.now(UTC))
