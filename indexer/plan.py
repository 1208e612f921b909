"""Compare what lies in the folders with what the catalogue knows: what is there to do."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UsageError
from bioclip_search.schema import KEY
from indexer.walk import SeenFile, is_below, walk

__all__ = ["KnownFile", "Place", "Plan", "make_plan", "scopes_of"]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the catalogue knows of a file without reading it."""

    key: str
    size: int
    mtime: datetime
    content_hash: str
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands in the catalogue: its root and its path below it, with slashes."""

    root: str
    path: str


@dataclass(slots=True)
class Plan:
    """What is to be done.

    `unchanged` and `missing` go by the id of their row; `content_before` is the catalogue's content
    hash of every changed file; `missing_by_content` lets a file that moved be recognised. Folders that
    cannot be listed are `unreadable`, files whose name is not valid Unicode `unnameable`.
    """

    new: list[SeenFile] = field(default_factory=list)
    changed: list[SeenFile] = field(default_factory=list)
    content_before: dict[Place, str] = field(default_factory=dict)
    unchanged: dict[str, Place] = field(default_factory=dict)
    returned: list[str] = field(default_factory=list)
    missing: dict[str, KnownFile] = field(default_factory=dict)
    missing_by_content: dict[str, str] = field(default_factory=dict)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    unnameable: list[Path] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)


def scopes_of(paths: Sequence[Path], catalogue_folder: Path) -> list[Path]:
    """The absolute paths to index, each once. Raises UsageError for one that is not there or not allowed."""
    scopes: list[Path] = []
    place = Path(os.path.abspath(catalogue_folder))  # noqa: PTH100 (resolve() would follow links and mapped drives)
    for path in paths:
        scope = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100
        if not scope.exists():
            raise UsageError(f"There is no {path}; check the spelling, or whether the drive is connected.")
        if scope.is_dir() and (place == scope or scope in place.parents):
            raise UsageError(
                f"The catalogue {place} would lie inside the photo folder {scope}, which is never written to; "
                "choose another place with --catalogue."
            )
        if not any(scope == other or other in scope.parents for other in scopes):
            scopes = [other for other in scopes if scope not in other.parents] + [scope]
    return scopes


def make_plan(scopes: Sequence[Path], catalogue: Catalogue | None) -> Plan:
    """List the files of all scopes and sort them into new, changed, unchanged and missing."""
    plan = Plan()
    roots = catalogue.roots() if catalogue else []
    seen_at: dict[Place, SeenFile] = {}
    for scope in scopes:
        place_of = _placing(scope, roots)
        for seen in walk(scope, lambda folder, reason: plan.unreadable.append((folder, reason))):
            if not _is_unicode(seen.file):
                plan.unnameable.append(seen.file)
                continue
            place = place_of(seen.file)
            seen_at[place] = seen
            plan.places[seen.file] = place
    known = _known_below(scopes, roots, catalogue) if catalogue else {}
    plan.unreadable.extend(_suddenly_empty(scopes, seen_at, known))
    for place, seen in seen_at.items():
        _sort_in(plan, place, seen, known.get(place))
    blind = [os.fspath(folder) for folder, _ in plan.unreadable]
    for place, file in known.items():
        if place not in seen_at and not is_below(os.path.join(place.root, place.path), blind):  # noqa: PTH118
            plan.missing[file.key] = file
            plan.missing_by_content[file.content_hash] = file.key
    return plan


def _suddenly_empty(
    scopes: Sequence[Path], seen_at: dict[Place, SeenFile], known: dict[Place, KnownFile]
) -> list[tuple[Path, str]]:
    """Scopes without a photo where the catalogue knows some: more likely a drive that is not connected."""
    empty = []
    for scope in scopes:
        bound = [os.fspath(scope)]
        if any(is_below(os.fspath(seen.file), bound) for seen in seen_at.values()):
            continue
        rows = sum(is_below(os.path.join(place.root, place.path), bound) for place in known)  # noqa: PTH118
        if rows:
            empty.append((scope, f"no photo is left of the {rows:,} that were indexed; is the drive connected?"))
    return empty


def _is_unicode(file: Path) -> bool:
    """Whether a name can be stored: file systems on Linux allow bytes that are no text."""
    try:
        os.fspath(file).encode()
    except UnicodeEncodeError:
        return False
    return True


def _sort_in(plan: Plan, place: Place, seen: SeenFile, known: KnownFile | None) -> None:
    if known is None:
        plan.new.append(seen)
    elif (known.size, known.mtime) != (seen.size, seen.mtime):
        plan.changed.append(seen)
        plan.content_before[place] = known.content_hash
    else:
        plan.unchanged[known.key] = place
        if known.missing_since is not None:
            plan.returned.append(known.key)


def _placing(scope: Path, roots: Sequence[str]) -> Callable[[Path], Place]:
    """A file belongs to the innermost root that was indexed before, else to the folder named now."""
    start = os.fspath(scope if scope.is_dir() else scope.parent)
    outer = [root for root in roots if is_below(start, [root])]
    inner = [root for root in roots if is_below(root, [start])]
    innermost_first = sorted({*inner, *(outer or [start])}, key=len, reverse=True)

    def place_of(file: Path) -> Place:
        name = os.fspath(file)
        root = next(root for root in innermost_first if is_below(name, [root]))
        return Place(root, Path(os.path.relpath(name, root)).as_posix())

    return place_of


def _known_below(scopes: Sequence[Path], roots: Sequence[str], catalogue: Catalogue) -> dict[Place, KnownFile]:
    bounds = [os.fspath(scope) for scope in scopes]
    known: dict[Place, KnownFile] = {}
    for root in roots:
        for row in catalogue.known_files(root).to_pylist():
            if is_below(os.path.join(root, row["path"]), bounds):  # noqa: PTH118 (a Path an entry is slow)
                file = KnownFile(row[KEY], row["size"], row["mtime"], row["content_hash"], row["missing_since"])
                known[Place(root, row["path"])] = file
    return known
