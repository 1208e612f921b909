"""Index folders of photos: walk, compare, decode, embed, write. The photos are only read.

What is done is committed every few seconds, so that stopping anywhere loses only what has not
been committed, and the next run does the rest.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bioclip_search._version import __version__
from bioclip_search.background import refresh_background
from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.errors import CatalogueError, ModelError, UsageError
from bioclip_search.journal import Problem, Run
from bioclip_search.loading import model_loader
from bioclip_search.memory import bound_arenas
from bioclip_search.models import DEFAULT_MODEL, locate_model
from bioclip_search.paths import is_below
from bioclip_search.placement import open_backbone
from bioclip_search.preprocessing import Fit
from bioclip_search.records import read_records
from bioclip_search.schema import PRESENT
from bioclip_search.specimen import Specimen
from bioclip_search.text import printable
from bioclip_search.text_column import NO_MODEL
from indexer.describe import Describer
from indexer.filename import compile_patterns
from indexer.for_text import Filling
from indexer.join import RecordIndex
from indexer.pace import pace_of
from indexer.pipeline import Pipeline
from indexer.plan import Place, Plan, make_plan, scopes_of
from indexer.report import IndexReport, Observer, Quiet, note
from indexer.walk import PHOTO_FORMATS
from indexer.writer import Writer

__all__ = ["IndexOptions", "index"]


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What to index, into which catalogue, with which model.

    `metadata` are records (see `read_records`, which takes `columns`) that are joined to the photos;
    `name_patterns` find catalogue numbers in file names. `model` and `fit` None mean those of the
    catalogue, or the defaults for a new one; `model_for_text` is a second one (see TextColumn), None means
    that of the catalogue, and NO_MODEL takes it out; `workers` (photos decoded at a time) and `batch_size`
    (photos embedded at a time) None mean what suits the device. What is done is committed every
    `commit_seconds`. `prune` removes the rows of missing files, `dry_run` only counts what there is to
    do; `command` is remembered with the run.
    """

    paths: tuple[Path, ...]
    catalogue: Path
    metadata: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    name_patterns: tuple[str, ...] = ()
    taxa_from_folders: bool = False
    model: str | None = None
    model_for_text: str | None = None
    fit: Fit | None = None
    device: str = "auto"
    dtype: str = "auto"
    workers: int | None = None
    batch_size: int | None = None
    commit_seconds: float = 10.0
    prune: bool = False
    dry_run: bool = False
    command: str = ""


def index(options: IndexOptions, observer: Observer | None = None) -> IndexReport:
    """Bring the catalogue up to date with the folders.

    When the observer wishes to stop, the batches in hand are finished and committed, and the report
    says `interrupted`. Raises UsageError, RecordError, ModelError or CatalogueError.
    """
    bound_arenas()
    observer = observer or Quiet()
    started, clock = datetime.now(UTC), time.monotonic()
    catalogue = Catalogue.open(options.catalogue) if Catalogue.exists(options.catalogue) else None
    scopes = scopes_of(options.paths, catalogue, options.catalogue)
    rows = read_records(options.metadata, options.columns) if options.metadata else None
    patterns = compile_patterns(options.name_patterns)
    plan = make_plan(scopes, catalogue)
    _check_any_photos(plan, scopes)
    records = None if rows is None else RecordIndex(rows, plan.places, patterns)
    backbone = open_backbone(options.catalogue)
    describer = Describer(records, from_folders=options.taxa_from_folders, backbone=backbone, patterns=patterns)
    report = IndexReport(unchanged=len(plan.unchanged), missing=len(plan.missing))
    report.with_record = None if records is None else records.joined
    for folder, reason in plan.unreadable:
        note(Problem(printable(str(folder)), f"the folder was passed over: {reason}"), report, observer)
    for file in plan.unnameable:
        note(Problem(printable(str(file)), "the name is not valid Unicode; rename the file"), report, observer)
    needed = bool(plan.new or plan.changed)
    if options.dry_run:
        _check_model(options, catalogue, needed=needed)
        _check_model_for_text(options, catalogue)
        report.new, report.changed = len(plan.new), len(plan.changed)
        report.for_text = _lacking_for_text(options, catalogue, plan)
        return report
    _check_model_for_text(options, catalogue)
    try:
        catalogue, embedder = _with_model(options, catalogue, needed=needed)
    except CatalogueError:
        if catalogue is not None or not Catalogue.exists(options.catalogue):
            raise
        # Another run has made it in the meantime: begin again with what that holds.
        return index(options, observer)
    settled = list(plan.unchanged.values())
    if embedder is not None:
        settled += _take_up(options, catalogue, embedder, plan, describer, report, observer)
        _measure_background(catalogue, embedder, report)
        del embedder  # the table is compacted below: both at once would be the peak of memory
    _settle_unchanged(catalogue, plan, describer)
    if records is not None:
        report.with_record = sum(records.find(place) is not None for place in settled)
    report.missing = len(plan.missing)
    if options.prune and not report.interrupted:
        _prune(catalogue, plan, report, observer)
    if not report.interrupted:
        _embed_for_text(options, catalogue, report, observer)
    catalogue.optimize()
    report.seconds = time.monotonic() - clock
    _write_journal(catalogue, scopes, plan, report, options.command, started)
    return report


def _take_up(
    options: IndexOptions,
    catalogue: Catalogue,
    embedder: Embedder,
    plan: Plan,
    describer: Describer,
    report: IndexReport,
    observer: Observer,
) -> list[Place]:
    """Decode, embed and write what is new or changed; returns where the photos are that were written."""
    files = [*plan.new, *plan.changed]
    pipeline = Pipeline(embedder, pace_of(embedder, options.workers, options.batch_size))
    writer = Writer(catalogue, plan, report, observer, describer, pipeline.again, options.commit_seconds)
    observer.begin(len(files))
    with observer.stoppable() as stopping:
        report.stages = pipeline.run(files, len(files), catalogue.contents(), writer.take, writer.commit, stopping)
        report.interrupted = stopping()
    return writer.written


def _prune(catalogue: Catalogue, plan: Plan, report: IndexReport, observer: Observer) -> None:
    """Remove the rows of missing files; more than a tenth of the catalogue only with consent."""
    gone, rows = len(plan.missing), catalogue.count()
    if gone * 10 <= rows or observer.may_prune(gone, rows):
        catalogue.remove(list(plan.missing))
        report.pruned, report.missing = gone, 0


def _write_journal(
    catalogue: Catalogue, scopes: Sequence[Path], plan: Plan, report: IndexReport, command: str, started: datetime
) -> None:
    """Remember the run and its problems; those of files that were tried again are forgotten."""
    bounds = [printable(str(scope)) for scope in scopes]
    blind = [printable(str(folder)) for folder, _ in plan.unreadable]
    remembered = [] if report.interrupted else [problem.path for problem in catalogue.journal.problems()]
    settled = [path for path in remembered if is_below(path, bounds) and not is_below(path, blind)]
    catalogue.journal.settle_problems(settled, report.problems)
    finished = datetime.now(UTC)
    fingerprint = catalogue.fingerprint.to_json()
    counts = {**report.counts, "pruned": report.pruned}
    catalogue.journal.record_run(Run(started, finished, command, __version__, fingerprint, counts))


def _check_any_photos(plan: Plan, scopes: Sequence[Path]) -> None:
    if plan.new or plan.changed or plan.unchanged or plan.missing:
        return
    if plan.unreadable:
        folder, reason = plan.unreadable[0]
        raise UsageError(f"The folder {printable(str(folder))} was passed over: {reason}")
    if plan.unnameable:
        names = printable(os.fspath(plan.unnameable[0]))
        raise UsageError(f"The names of the photos are not valid Unicode, such as {names}; rename them.")
    places = ", ".join(printable(str(scope)) for scope in scopes)
    formats = ", ".join(PHOTO_FORMATS)
    raise UsageError(
        f"There are no photos in {places}; the catalogue is left as it is. "
        f"Is the drive connected? What counts as a photo: {formats}."
    )


def _model_name(options: IndexOptions, catalogue: Catalogue | None) -> str:
    return options.model or (catalogue.fingerprint.model if catalogue else DEFAULT_MODEL)


def _fit(options: IndexOptions, catalogue: Catalogue | None) -> Fit:
    return options.fit or (catalogue.fingerprint.fit if catalogue else Fit.SQUASH)


def _check_model(options: IndexOptions, catalogue: Catalogue | None, *, needed: bool) -> None:
    """Raise ModelError unless the model is there and is the catalogue's.

    A model that the user named is compared with the catalogue's even when it is not needed.
    """
    if needed or options.model or options.fit:
        files = locate_model(_model_name(options, catalogue))
        if catalogue is not None:
            catalogue.require_model(files.fingerprint(_fit(options, catalogue)))


def _with_model(
    options: IndexOptions, catalogue: Catalogue | None, *, needed: bool
) -> tuple[Catalogue, Embedder | None]:
    """The catalogue, made if there is none, and its model, loaded only if photos must be embedded."""
    _check_model(options, catalogue, needed=needed)
    name, fit = _model_name(options, catalogue), _fit(options, catalogue)
    embedder = Embedder.load(name, device=options.device, dtype=options.dtype, fit=fit) if needed else None
    if catalogue is None:
        assert embedder is not None  # noqa: S101 (without a catalogue every photo is new)
        catalogue = Catalogue.create(options.catalogue, embedder.fingerprint)
    return catalogue, embedder


def _check_model_for_text(options: IndexOptions, catalogue: Catalogue | None) -> None:
    """Raise ModelError or UsageError unless the model for texts that the user named is there and can be taken."""
    if options.model_for_text is None or options.model_for_text == NO_MODEL:
        return
    own = catalogue.for_text.fingerprint if catalogue is not None else None
    fit = own.fit if own else _fit(options, catalogue)
    named = locate_model(options.model_for_text).fingerprint(fit)
    first = catalogue.fingerprint if catalogue else locate_model(_model_name(options, catalogue)).fingerprint(fit)
    if named.matches(first):
        raise UsageError(f"The catalogue embeds with {named.model} already; --model-for-text wants another model.")
    if catalogue is not None:
        catalogue.for_text.require_model(named)


def _lacking_for_text(options: IndexOptions, catalogue: Catalogue | None, plan: Plan) -> int:
    """How many photos a run would embed for texts."""
    own = catalogue.for_text.fingerprint if catalogue is not None else None
    if options.model_for_text == NO_MODEL or (options.model_for_text is None and own is None):
        return 0
    if catalogue is None:
        return len(plan.new)
    if own is None:
        return catalogue.count(PRESENT) + len(plan.new)
    return catalogue.for_text.lacking() + len(plan.new) + len(plan.changed)


def _embed_for_text(options: IndexOptions, catalogue: Catalogue, report: IndexReport, observer: Observer) -> None:
    """Embed what the model for texts lacks, where the catalogue has one or is to have one.

    If it cannot be loaded ModelError is raised where the user named it, and it is told of where not.
    """
    column, named = catalogue.for_text, options.model_for_text
    if named == NO_MODEL:
        column.drop()
    elif named is not None:
        own = column.fingerprint
        column.add(locate_model(named).fingerprint(own.fit if own else catalogue.fingerprint.fit))
    own = column.fingerprint
    if own is None or not column.lacking():
        return
    filling = Filling(catalogue, report, observer, options.commit_seconds)
    if not len(filling):
        return
    try:
        embedder = model_loader(catalogue, named, for_text=True, device=options.device, dtype=options.dtype)()
    except ModelError as error:
        if named is not None:
            raise
        observer.say(f"The photos are not yet embedded for texts: {error}")
        return
    filling.run(embedder, pace_of(embedder, options.workers, options.batch_size))
    _measure_background(catalogue, embedder, report, for_text=True)


def _measure_background(
    catalogue: Catalogue, embedder: Embedder, report: IndexReport, *, for_text: bool = False
) -> None:
    """What unrelated queries reach, unless the run is stopped: it is finished and written down all the same."""
    try:
        if not report.interrupted:
            refresh_background(catalogue, embedder, for_text=for_text)
    except KeyboardInterrupt:
        report.interrupted = True


def _settle_unchanged(catalogue: Catalogue, plan: Plan, describer: Describer) -> None:
    """Bring records and presence of files up to date whose content needs no work."""
    if describer.can_tell:
        stored = catalogue.specimens(list(plan.unchanged))
        told = {key: describer.describe(place, stored.get(key, Specimen())) for key, place in plan.unchanged.items()}
        catalogue.describe({key: specimen for key, specimen in told.items() if specimen != stored.get(key)})
    catalogue.mark_missing(plan.returned, None)
    newly_gone = [key for key, file in plan.missing.items() if file.missing_since is None]
    catalogue.mark_missing(newly_gone, datetime.now(UTC))
