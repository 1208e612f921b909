"""The photos that `identify` is asked about: files, those in folders, or the catalogue's without a determination."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.identify_options import PYBIOCLIP, Asked
from bioclip_search.cli.progress import Meter
from bioclip_search.embedder import Embedder
from bioclip_search.errors import PhotoError, UsageError
from bioclip_search.identification import UNIDENTIFIED, FileReader, MethodName, Subjects, from_catalogue
from bioclip_search.identification.pybioclip import pixels
from bioclip_search.paths import absolute
from bioclip_search.schema import PRESENT
from bioclip_search.text import printable

__all__ = ["AskedPhotos", "asked_photos"]

_NO_PHOTO = "No photo could be read; name JPEG, TIFF or PNG files, or a folder that holds some."


@dataclass(frozen=True, slots=True)
class AskedPhotos:
    """The photos to be identified: how many there are, and what gives them, so many at once."""

    total: int
    batches: Callable[[int], Iterator[Subjects]]

    def counted(self, at_once: int, progress: Meter) -> Iterator[Subjects]:
        """The photos in batches, counted. Raises UsageError when none can be read."""
        progress.begin(self.total)
        done = 0
        for subjects in self.batches(at_once):
            done += len(subjects)
            yield subjects
            progress.advance(len(subjects))
        if not done:
            raise UsageError(_NO_PHOTO)


def asked_photos(
    asked: Asked, catalogue: Catalogue | None, load: Callable[[], Embedder], progress: Meter
) -> AskedPhotos:
    """What is to be identified. Raises UsageError when there is nothing: known before a model is loaded."""
    if asked.of_catalogue and catalogue is not None:
        where = f"({UNIDENTIFIED}) AND {PRESENT}"
        total = catalogue.count(where)
        if not total:
            raise UsageError("Every photo of the catalogue has a determination; name photos to identify.")
        return AskedPhotos(total, partial(from_catalogue, catalogue, where))
    if not any(os.path.lexists(photo) for photo in asked.photos):
        raise UsageError(
            f"There is no file or folder {printable(str(asked.photos[0]))}; check the spelling of its path."
        )
    files = list(_files(asked.photos, progress))
    if not files:
        raise UsageError(_NO_PHOTO)
    exact = asked.format_ == PYBIOCLIP and asked.way is MethodName.ZERO_SHOT
    reader = FileReader(load, _reporter(progress), catalogue, pixels if exact else None)
    return AskedPhotos(len(files), partial(reader.subjects, files))


def _files(photos: Iterable[Path], progress: Meter) -> Iterator[Path]:
    """The files as they are named, and those of folders."""
    from indexer.walk import walk

    def unreadable(folder: Path, reason: str) -> None:
        progress.say(f"{printable(str(folder))}: the folder cannot be read ({reason})")

    for photo in photos:
        if not absolute(photo).is_dir():
            yield photo
        else:
            yield from (Path(listed.file) for listed in walk(photo, unreadable))


def _reporter(progress: Meter) -> Callable[[Path, PhotoError], None]:
    return lambda path, error: progress.say(f"{printable(str(path))}: {error}")
