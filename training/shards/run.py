"""Write the shards of a source: plan once, write what is missing, and the manifest last."""

import csv
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioclip_search.atomic import replacing
from bioclip_search.errors import ShardError, UsageError
from bioclip_search.text import listed, printable
from training.shards.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from training.shards.plan import PLAN, Dealt, Plan, make_plan
from training.shards.source import Source
from training.shards.split import ORDER, TRAIN, UNSEEN, VAL
from training.shards.write import Form, Observer, is_there, write_split

__all__ = ["PROBLEMS", "ShardOptions", "ShardReport", "write_shards"]

PROBLEMS = "problems.csv"
_LOCK = ".lock"
_OURS = (MANIFEST, PROBLEMS)


@dataclass(frozen=True, slots=True)
class ShardOptions:
    """Where shards are written, how photos are dealt to splits, what a shard is made of, and threads that decode."""

    folder: Path
    dealt: Dealt = field(default_factory=Dealt)
    form: Form = field(default_factory=Form)
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What is in the folder now; `left_out` counts what the source could not offer, `skipped` photos that failed.

    `not_there` are species (by their keys) that were to be kept unseen, and of which there is no photo.
    """

    manifest: Manifest
    left_out: Mapping[str, int]
    skipped: int
    seconds: float
    not_there: Sequence[str] = ()


def write_shards(source: Source, options: ShardOptions, observer: Observer) -> ShardReport:
    """Write shards of all photos of a source; the same source and options give the same bytes.

    What an earlier run finished stays, and the run goes on from there. Photos that cannot be decoded are
    told of, listed in problems.csv, and left out. Raises UsageError for a folder that holds other things
    or shards of other options, and ShardError where nothing can be written.
    """
    started = time.monotonic()
    folder = options.folder
    with _folder_for_one(folder):
        if not os.path.isfile(folder / PLAN):
            _check_empty(folder)
            _plan(source, options, observer)
        with closing(Plan(folder)) as plan:
            _check_some(plan, source, folder)
            _check_same(plan.meta["options"], _told(source, options), folder)
            not_there = _not_there(plan, options.dealt.unseen or frozenset(), folder)
            observer.begin(plan.count() - _done(plan, folder))
            workers = options.workers or max(4, os.cpu_count() or 1)
            for split in ORDER:
                write_split(plan, folder, split, options.form, workers, observer)
            manifest = _write_manifest(plan, source, options)
            skipped = _write_problems(plan, folder)
            left_out = plan.meta["left_out"]
    return ShardReport(manifest, left_out, skipped, time.monotonic() - started, not_there)


@contextmanager
def _folder_for_one(folder: Path) -> Iterator[None]:
    """The folder, made, for this process alone; what the disk refuses becomes one sentence."""
    from filelock import FileLock, Timeout

    shown = printable(str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout as error:
        raise UsageError(f"Another run is writing shards to {shown}; wait for it, or name another folder.") from error
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ShardError(
            f"The shards in {shown} cannot be written ({reason}); mend that and give the same command again. "
            "Finished shards are kept."
        ) from error


def _check_empty(folder: Path) -> None:
    others = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    if others:
        raise UsageError(
            f"The folder {printable(str(folder))} holds other files ({printable(others[0])} …); name a new one."
        )


def _plan(source: Source, options: ShardOptions, observer: Observer) -> None:
    def meta() -> dict[str, Any]:
        return {"options": _told(source, options), "left_out": dict(source.left_out)}

    make_plan(options.folder, source.photos(), options.dealt, meta, observer.planned)


def _told(source: Source, options: ShardOptions) -> dict[str, Any]:
    """All that decides about the bytes of shards, as JSON has it."""
    unseen = options.dealt.unseen
    return {
        "source": source.label,
        "source's state": source.state(),
        "seed": options.dealt.seed,
        "val": options.dealt.val,
        "unseen": sorted(unseen) if unseen is not None else None,
        **asdict(options.form.shape),
        "text members": options.form.text_members,
        "max count": options.form.max_count,
        "max bytes": options.form.max_bytes,
    }


def _check_some(plan: Plan, source: Source, folder: Path) -> None:
    if not plan.count():
        (folder / PLAN).unlink()
        raise UsageError(
            f"No photo of the {printable(source.label)} has a name and a file, so there is nothing to train on; "
            "join records with `bioclip-search metadata import`, or check --records and --photos."
        )


def _not_there(plan: Plan, unseen: frozenset[str], folder: Path) -> list[str]:
    """The species to keep unseen of which there is no photo. Raises UsageError where that is all of them."""
    missing = plan.species_missing(unseen)
    if missing and len(missing) == len(unseen) and not any(map(plan.finished, ORDER)):
        (folder / PLAN).unlink()
        raise UsageError(
            f"No photo is of a species that --unseen lists ({listed(missing)}); write “Genus epithet” as the records "
            "do, or leave --unseen out."
        )
    return missing


def _check_same(planned: Mapping[str, Any], told: Mapping[str, Any], folder: Path) -> None:
    changed = [name for name in told if planned.get(name) != told[name]]
    if changed:
        raise UsageError(
            f"The shards in {printable(str(folder))} were begun with another {' and another '.join(changed)}; "
            "give the options that began them, or name another folder."
        )


def _done(plan: Plan, folder: Path) -> int:
    """Photos in the ranges of finished shards that are there."""
    finished = (done for split in ORDER for done in plan.finished(split) if is_there(folder, done))
    return sum(done.last - done.first + 1 for done in finished)


def _write_manifest(plan: Plan, source: Source, options: ShardOptions) -> Manifest:
    names = (TRAIN, VAL, UNSEEN) if options.dealt.unseen is not None else (TRAIN, VAL)
    shape = options.form.shape
    manifest = Manifest(
        created=datetime.now(UTC),
        seed=options.dealt.seed,
        image={"size": shape.size, "fit": shape.fit.value},
        source=source.label,
        splits={name: plan.as_split(name) for name in names},
    )
    if os.path.isfile(options.folder / MANIFEST):
        before = read_manifest(options.folder)
        if before.same_but_for_time(manifest):
            return before
    write_manifest(options.folder, manifest)
    return manifest


def _write_problems(plan: Plan, folder: Path) -> int:
    """Write the photos that were left out to problems.csv, if there are any; returns their number."""
    path = folder / PROBLEMS
    skipped = plan.count_problems()
    if not skipped:
        path.unlink(missing_ok=True)
        return 0
    with replacing(path) as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("file", "reason"))
        rows.writerows((printable(problem.file), printable(problem.reason)) for problem in plan.problems())
    return skipped
