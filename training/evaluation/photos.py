"""The photos that a model is tried on: of a table, of shards, or of a catalogue."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bioclip_search.batches import collected
from bioclip_search.embedder import Features
from bioclip_search.errors import UsageError
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.photo import read_photo
from bioclip_search.schema import EMBEDDING, PRESENT
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import printable
from bioclip_search.vectors import unit
from training.evaluation.arrays import row_slices
from training.shards.packs import SEPARATOR, read_packed
from training.shards.reading import Sample, sample_of
from training.shards.sample import SourcePhoto
from training.shards.source import WITHOUT_FILE, WITHOUT_NAME, CatalogueSource, Source

__all__ = ["Photo", "Photos", "of_catalogue", "of_shards", "of_table"]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo: its name, its taxon, what all photos of its specimen share, and what changes when the file does.

    `source` gives the bytes of the file at a `place`; it is one for all photos, of which there may be millions.
    """

    name: str
    taxon: Taxon
    specimen: str
    state: str
    source: Callable[[Any], bytes]
    place: str | int

    def read(self) -> bytes:
        """The bytes of the file. Raises PhotoError, and ShardError for a shard that cannot be read."""
        return self.source(self.place)


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos in the order of their names; `label` says whence, `left_out` what could not be offered.

    `stored` gives the embeddings of a model that are kept already, float32 [n, dim], or None.
    """

    label: str
    photos: tuple[Photo, ...]
    stored: Callable[[Fingerprint], Features | None] = lambda _fingerprint: None
    left_out: Counter[str] = field(default_factory=Counter)


def of_table(source: Source, folder: Path, tell: Callable[[str], None]) -> Photos:
    """The photos of a table that names files in a folder; those that are not there are told of.

    Raises UsageError where none is there.
    """
    taxa = _Taxa()
    photos = [_of_file(one, taxa) for one in source.photos()]
    absent, shown = source.left_out[WITHOUT_FILE], printable(str(folder))
    if absent and not photos and not source.left_out[WITHOUT_NAME]:
        raise UsageError(
            f"None of the photos of the {source.label} was found in {shown} ({absent:,} records name no file that is "
            "there); give the folder of the photos with --photos."
        )
    if absent:
        tell(f"{len(photos):,} photos found in {shown}; records that name no file there: {absent:,}")
    return Photos(source.label, _sorted(photos), left_out=source.left_out)


def of_catalogue(folder: Path) -> Photos:
    """The photos of a catalogue that are not missing. Raises CatalogueError."""
    source = CatalogueSource(folder)
    taxa = _Taxa()
    photos = tuple(sorted((_of_file(one, taxa) for one in source.photos()), key=lambda photo: str(photo.place)))
    places = {str(photo.place): row for row, photo in enumerate(photos)}
    return Photos(source.label, photos, lambda model: _stored(folder, places, model), source.left_out)


def of_shards(folder: Path, split: str, index: Path, tell: Callable[[str], None]) -> Photos:
    """The samples of a split of a folder of shards; where they lie is kept in `index`. Raises ShardError."""
    from training.reading_parts import ShardSource
    from training.shard_index import index_all, open_folder
    from training.shard_samples import ShardSamples

    opened = open_folder(ShardSource(str(folder), split=split))
    index_all(opened.shards, index, tell)
    samples, alone = ShardSamples(opened.shards, index), threading.Lock()

    def read(number: int) -> tuple[bytes, bytes]:
        with alone, samples.naming(number):  # it keeps a few files open, and closes the others
            return samples.read(number)

    def picture(number: int) -> bytes:
        return read(number)[0]

    def described(number: int) -> Sample:
        with samples.naming(number):
            return sample_of(read(number)[1])

    taxa = _Taxa()
    photos = [_of_sample(described(n), n, opened.digest, picture, taxa) for n in range(opened.samples)]
    return Photos(f"shards {folder.name}, split {split}", _sorted(photos))


class _Taxa:
    """Each taxon once, however many photos are of it."""

    def __init__(self) -> None:
        self._known: dict[Taxon, Taxon] = {}

    def one(self, taxon: Taxon) -> Taxon:
        return self._known.setdefault(taxon, taxon)


def _of_file(one: SourcePhoto, taxa: _Taxa) -> Photo:
    return Photo(one.name, taxa.one(one.taxon), one.specimen, _state(one.file), _read, one.file)


def _of_sample(sample: Sample, number: int, digest: str, picture: Callable[[int], bytes], taxa: _Taxa) -> Photo:
    key = sample.key or str(number)
    return Photo(key, taxa.one(sample.taxon), sample.specimen or key, digest, picture, number)


def _sorted(photos: list[Photo]) -> tuple[Photo, ...]:
    """In an order that does not depend on how they were found: folds are drawn from it."""
    return tuple(sorted(photos, key=lambda photo: photo.name))


def _state(file: str) -> str:
    try:
        status = Path(file.partition(SEPARATOR)[0]).stat()
    except OSError:
        return "missing"
    return f"{status.st_size} {status.st_mtime_ns}"


def _read(file: str) -> bytes:
    packed = read_packed(file)
    return read_photo(Path(file)) if packed is None else packed


def _stored(folder: Path, places: dict[str, int], model: Fingerprint) -> Features | None:
    """A catalogue's own embeddings, if they are of this model."""
    from bioclip_search.catalogue import Catalogue

    catalogue = Catalogue.open(folder)
    if not model.matches(catalogue.fingerprint):
        return None
    features = np.full((len(places), model.dim), np.nan, dtype=np.float32)
    for rows in collected(catalogue.scan(["root", "path", EMBEDDING], PRESENT)):
        vectors = rows[EMBEDDING].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        files = map(os.path.join, rows["root"].to_pylist(), rows["path"].to_pylist())
        for file, vector in zip(files, vectors.reshape(rows.num_rows, -1), strict=True):
            if file in places:
                features[places[file]] = vector
    for part in row_slices(len(features)):
        features[part] = unit(features[part])
    return features
