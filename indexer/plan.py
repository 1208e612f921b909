"""Compare what lies in the folders with what the catalogue knows: what is there to do."""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bioclip_search.catalogue import Catalogue
from bioclip_search.errors import UsageError
from bioclip_search.paths import absolute, is_below, is_unicode, lies_in
from bioclip_search.schema import KEY
from bioclip_search.text import printable
from indexer.walk import PHOTO_FORMATS, is_photo_name, walk

__all__ = ["KnownFile", "Place", "Plan", "SeenFile", "make_plan", "scopes_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands in the catalogue: its root and its path below it, with slashes."""

    root: str
    path: str

    @property
    def file(self) -> Path:
        """The file's absolute path."""
        return Path(self.root) / self.path


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A photo file as it was listed: its place, bytes, `mtime` in UTC with microseconds."""

    place: Place
    size: int
    mtime: datetime


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the catalogue knows of a file without reading it; `key` is its row's photo_id."""

    key: str
    path: str
    size: int
    mtime: datetime
    content_hash: str
    missing_since: datetime | None


@dataclass(slots=True)
class Plan:
    """What is to be done.

    `unchanged` and `missing` go by the photo_id of their row; `content_before` is the catalogue's content
    hash of every changed file; `missing_by_content` lets files that moved be recognised. Folders that
    cannot be listed are `unreadable`, files whose name is not valid Unicode `unnameable`.
    """

    new: list[SeenFile] = field(default_factory=list)
    changed: list[SeenFile] = field(default_factory=list)
    content_before: dict[Place, str] = field(default_factory=dict)
    unchanged: dict[str, Place] = field(default_factory=dict)
    returned: list[str] = field(default_factory=list)
    missing: dict[str, KnownFile] = field(default_factory=dict)
    missing_by_content: dict[str, list[KnownFile]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    unnameable: list[Path] = field(default_factory=list)

    @property
    def places(self) -> list[Place]:
        """Where the files are that the catalogue will hold."""
        return [*(seen.place for seen in (*self.new, *self.changed)), *self.unchanged.values()]

    def take_moved(self, place: Place, content_hash: str) -> KnownFile | None:
        """The missing file that came to this place, by content and best by name; it is missing no longer."""
        candidates = self.missing_by_content.get(content_hash)
        if not candidates:
            return None
        name = place.path.rsplit("/", 1)[-1]
        found = next((file for file in candidates if file.path.rsplit("/", 1)[-1] == name), candidates[0])
        candidates.remove(found)
        del self.missing[found.key]
        return found


def scopes_of(paths: Sequence[Path], catalogue: Catalogue | None, catalogue_folder: Path) -> list[Path]:
    """The absolute paths to index, each once.

    Raises UsageError for one that is neither there nor known to the catalogue, for a file that is no
    photo, and where the catalogue would lie among the photos.
    """
    scopes: list[Path] = []
    for path in paths:
        scope = absolute(path)
        _check_scope(scope, catalogue)
        folder = scope if os.path.isdir(scope) else scope.parent
        if lies_in(catalogue_folder, folder):
            raise UsageError(
                f"The catalogue {catalogue_folder} would lie inside the photo folder {folder}, which is never "
                "written to; choose another place with --catalogue."
            )
        if not any(scope == other or other in scope.parents for other in scopes):
            scopes = [other for other in scopes if scope not in other.parents] + [scope]
    return scopes


def _check_scope(scope: Path, catalogue: Catalogue | None) -> None:
    """Raise UsageError unless a path can be walked; one that the catalogue knows may be away for the moment."""
    shown = printable(str(scope))
    if os.path.isdir(scope):
        return
    if os.path.isfile(scope):
        if not is_photo_name(os.fspath(scope)):
            raise UsageError(f"{shown} has not the name of a photo; what counts as one: {', '.join(PHOTO_FORMATS)}.")
    elif os.path.lexists(scope):
        raise UsageError(f"{shown} is neither a folder nor a file; name a folder of photos.")
    elif catalogue is None or not catalogue.places_below(os.fspath(scope)):
        raise UsageError(
            f"There is no {shown}, or it may not be read; check the spelling, and whether the drive is connected."
        )


def make_plan(scopes: Sequence[Path], catalogue: Catalogue | None) -> Plan:
    """List the files of all scopes and sort them into new, changed, unchanged and missing."""
    plan = Plan()
    roots = catalogue.roots() if catalogue else []
    known = _known_below(scopes, roots, catalogue) if catalogue else {}
    seen_of: dict[Path, int] = {}
    for scope in scopes:
        seen_of[scope] = _list_scope(plan, scope, roots, known)
    plan.unreadable.extend(_suddenly_empty(seen_of, known))
    blind = [os.fspath(folder) for folder, _ in plan.unreadable]
    for place, file in known.items():
        if not is_below(os.path.join(place.root, place.path), blind):
            plan.missing[file.key] = file
            plan.missing_by_content[file.content_hash].append(file)
    return plan


def _list_scope(plan: Plan, scope: Path, roots: Sequence[str], known: dict[Place, KnownFile]) -> int:
    """Sort in the files of one scope, and take them out of `known`; returns their number."""
    place_of = _placing(scope, roots)
    count = 0
    for listed in walk(scope, lambda folder, reason: plan.unreadable.append((folder, reason))):
        count += 1
        if not is_unicode(listed.file):
            plan.unnameable.append(Path(listed.file))
            continue
        place = place_of(listed.file)
        _sort_in(plan, SeenFile(place, listed.size, listed.mtime), known.pop(place, None))
    return count


def _suddenly_empty(seen_of: dict[Path, int], known: dict[Place, KnownFile]) -> list[tuple[Path, str]]:
    """Scopes without a photo where the catalogue knows some: more likely a drive that is not connected."""
    empty = []
    for scope, seen in seen_of.items():
        bound = [os.fspath(scope)]
        rows = 0 if seen else sum(is_below(os.path.join(place.root, place.path), bound) for place in known)
        if rows:
            reason = f"no photo is left of the {rows:,} that were indexed; is the drive connected?"
            empty.append((scope, f"{reason} (If they were deleted: bioclip-search forget)"))
    return empty


def _sort_in(plan: Plan, seen: SeenFile, known: KnownFile | None) -> None:
    if known is None:
        plan.new.append(seen)
    elif (known.size, known.mtime) != (seen.size, seen.mtime):
        plan.changed.append(seen)
        plan.content_before[seen.place] = known.content_hash
    else:
        plan.unchanged[known.key] = seen.place
        if known.missing_since is not None:
            plan.returned.append(known.key)


def _placing(scope: Path, roots: Sequence[str]) -> Callable[[str], Place]:
    """A file belongs to the innermost root that was indexed before, else to the folder named now."""
    start = os.fspath(scope if os.path.isdir(scope) else scope.parent)
    outer = [root for root in roots if is_below(start, [root])]
    inner = [root for root in roots if is_below(root, [start])]
    innermost_first = sorted({*inner, *(outer or [start])}, key=len, reverse=True)

    def place_of(file: str) -> Place:
        root = next(root for root in innermost_first if is_below(file, [root]))
        return Place(root, os.path.relpath(file, root).replace(os.sep, "/"))

    return place_of


def _known_below(scopes: Sequence[Path], roots: Sequence[str], catalogue: Catalogue) -> dict[Place, KnownFile]:
    bounds = [os.fspath(scope) for scope in scopes]
    known: dict[Place, KnownFile] = {}
    for root in roots:
        for row in catalogue.known_files(root).to_pylist():
            if is_below(os.path.join(root, row["path"]), bounds):
                times = (row["mtime"], row["content_hash"], row["missing_since"])
                known[Place(root, row["path"])] = KnownFile(row[KEY], row["path"], row["size"], *times)
    return known
