"""The features of photos, computed once and kept beside the results."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bioclip_search.embedder import Features
from bioclip_search.errors import PhotoError
from training.evaluation.arrays import kept_in, write_rows
from training.evaluation.encoders import Encoder
from training.evaluation.photos import Photo, Photos
from training.metrics import Progress
from training.shards.ahead import in_order

__all__ = ["features_of", "is_readable"]

_AT_ONCE = 64
_FORMAT = 1


def features_of(encoder: Encoder, photos: Photos, cache: Path, progress: Progress) -> Features:
    """float32 [n, dim], which lies on the disk; NaN for a photo that cannot be read, which is told of.

    Those of a catalogue that was made with the model are its own; others are kept in the folder `cache`, for the
    next evaluation of the same photos by the same encoder. Raises UsageError where they cannot be kept, ShardError
    for a shard that cannot be read any more.
    """
    stored = photos.stored(encoder.fingerprint) if encoder.fingerprint else None
    if stored is not None:
        return stored
    file = cache / f"features-{_digest(encoder, photos.photos)}.npy"
    kept = _kept(file, len(photos.photos))
    if kept is not None:
        return kept
    progress.say(f"{encoder.name}: reading photos")
    progress.begin(len(photos.photos))
    return _keep(_computed(encoder, photos.photos, progress), (len(photos.photos), encoder.dim), file)


def is_readable(features: Features) -> npt.NDArray[np.bool_]:
    """Which photos have features: bool [n]."""
    return np.isfinite(features[:, 0])


def _digest(encoder: Encoder, photos: Sequence[Photo]) -> str:
    digest = hashlib.sha256(f"{_FORMAT}\0{encoder.identity}".encode())
    for photo in photos:
        digest.update(f"\0{photo.name}\0{photo.state}".encode())
    return digest.hexdigest()[:24]


def _kept(file: Path, count: int) -> Features | None:
    try:
        features: Features = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    # A photo that could not be read then may be readable now.
    return features if features.ndim == 2 and len(features) == count and is_readable(features).all() else None


def _keep(parts: Iterator[Features], shape: tuple[int, int], file: Path) -> Features:
    """Put rows, as they come, into a file of [n, dim], which is whole or not there; as an array that stays in it."""
    aside = file.with_suffix(f".{os.getpid()}.part")
    with kept_in(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as stream:
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(stream, header)
                write_rows(parts, stream)
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
        kept: Features = np.load(file, mmap_mode="r", allow_pickle=False)
    return kept


def _computed(encoder: Encoder, photos: Sequence[Photo], progress: Progress) -> Iterator[Features]:
    def prepared(photo: Photo) -> npt.NDArray[np.uint8] | PhotoError:
        try:
            return encoder.prepare(photo.read(), photo.name)
        except PhotoError as error:
            return error

    with ThreadPoolExecutor(max(4, os.cpu_count() or 1)) as pool:
        held: list[npt.NDArray[np.uint8] | None] = []
        for photo, pixels in in_order(pool, prepared, photos, 2 * _AT_ONCE):
            if isinstance(pixels, PhotoError):
                progress.say(f"skipped {photo.name}: {pixels}")
            held.append(None if isinstance(pixels, PhotoError) else pixels)
            if len(held) == _AT_ONCE:
                yield _encoded(encoder, held)
                progress.advance(len(held))
                held = []
        if held:
            yield _encoded(encoder, held)
            progress.advance(len(held))


def _encoded(encoder: Encoder, held: Sequence[npt.NDArray[np.uint8] | None]) -> Features:
    there = np.asarray([pixels is not None for pixels in held])
    usable = [pixels for pixels in held if pixels is not None]
    features = np.full((len(held), encoder.dim), np.nan, dtype=np.float32)
    if usable:
        features[there] = encoder.encode(np.stack(usable))
    return features
