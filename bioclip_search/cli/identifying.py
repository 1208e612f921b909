"""What `identify` does: opens what is asked for, reads photos, prints and keeps what they are."""

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import click

from bioclip_search.batches import batched
from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.identified import (
    IdentificationPrinter,
    LabelPrinter,
    PredictionPrinter,
    calibration_line,
    print_calibration,
)
from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.progress import Meter, meter
from bioclip_search.config import catalogue_folder
from bioclip_search.embedder import Embedder
from bioclip_search.errors import PhotoError, UsageError
from bioclip_search.identification import (
    UNIDENTIFIED,
    Among,
    Calibration,
    FileReader,
    Method,
    MethodName,
    Observer,
    Run,
    Settings,
    Subjects,
    calibrate,
    from_catalogue,
    identify,
    keep_calibration,
    keep_suggestions,
    kept_temperature,
    label_classes,
    make_method,
    read_bins,
    read_labels,
    sample,
    scored,
)
from bioclip_search.identification.pybioclip import pixels, predictions
from bioclip_search.identification.softmax import softmax
from bioclip_search.loading import model_loader
from bioclip_search.models import DEFAULT_MODEL, locate_model
from bioclip_search.paths import absolute
from bioclip_search.schema import PRESENT
from bioclip_search.taxonomy import Rank
from bioclip_search.text import printable

__all__ = ["Asked", "run"]

_UNIDENTIFIED = "unidentified"
_PYBIOCLIP = "pybioclip"
_LIMIT, _CONFIDENCE, _NEIGHBOURS = 5, 0.8, 20
_LABELLED_AT_ONCE = 1_024
_TOGETHER = 256
_SECONDS_BETWEEN_LINES = 5.0
_NO_PHOTO = "No photo could be read; name JPEG, TIFF or PNG files, or a folder that holds some."


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one call, None where one was not given; they go together."""

    photos: tuple[Path, ...]
    taxon: tuple[str, ...]
    taxa: Path | None
    text_embeddings: Path | None
    method: str | None
    neighbours: int | None
    rank: str | None
    confidence: float | None
    limit: int | None
    temperature: float | None
    calibrate: bool
    labels: str | None
    bins: Path | None
    save: bool
    model: str | None
    catalogue: Path | None
    device: str
    dtype: str
    format_: str
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", self._settings())
        for first, second, why in self._contradictions():
            if first and second:
                raise UsageError(f"{why}.")
        if not (self.photos or self.of_catalogue or self.calibrate):
            raise UsageError("Name photos or folders to identify, or give --taxon unidentified.")

    def _contradictions(self) -> list[tuple[Any, Any, str]]:
        ranks = self.rank or self.confidence is not None or self.neighbours or self.save or self.calibrate
        chosen = self.taxa or self.text_embeddings or self.within
        return [
            (self.labels, self.bins, "--bins brings labels of its own; leave --labels out"),
            (
                self.is_labels,
                ranks or chosen or self.way is not MethodName.ZERO_SHOT,
                "Labels of your own have no ranks and no taxa; give with --labels or --bins only photos, -k, "
                "--temperature and --format",
            ),
            (
                self.neighbours,
                self.way is not MethodName.NEIGHBOURS,
                "--neighbours is how many of them vote; give --method neighbours with it",
            ),
            (
                self.format_ == _PYBIOCLIP,
                self.confidence is not None or self.save,
                "pybioclip's columns hold no answers; take another --format with --confidence or --save",
            ),
            (
                self.calibrate,
                chosen or self.temperature is not None,
                "--calibrate fits a temperature on all taxa of the catalogue; leave out --taxon, --taxa, "
                "--text-embeddings and --temperature",
            ),
            (
                self.photos,
                self.of_catalogue,
                "--taxon unidentified takes photos of the catalogue; leave the other photos out",
            ),
        ]

    @property
    def way(self) -> MethodName:
        return MethodName(self.method or "zero-shot")

    @property
    def is_labels(self) -> bool:
        return self.labels is not None or self.bins is not None

    @property
    def of_catalogue(self) -> bool:
        return _UNIDENTIFIED in self.taxon

    @property
    def within(self) -> tuple[str, ...]:
        return tuple(name for name in self.taxon if name != _UNIDENTIFIED)

    @property
    def needs_catalogue(self) -> bool:
        has_taxa = self.is_labels or self.taxa or self.text_embeddings
        compares_photos = self.way is not MethodName.ZERO_SHOT
        return not has_taxa or compares_photos or self.of_catalogue or self.save or self.calibrate

    def _settings(self) -> Settings:
        return Settings(
            rank=Rank(self.rank or "species"),
            confidence=_CONFIDENCE if self.confidence is None else self.confidence,
            limit=self.limit or _LIMIT,
            temperature=1.0 if self.temperature is None else self.temperature,
        )


def run(asked: Asked) -> None:
    """Do what is asked. Raises UsageError when not one photo could be identified."""
    catalogue = _catalogue(asked)
    load = _loader(asked, catalogue)
    if asked.is_labels:
        _label(asked, catalogue, load)
    elif asked.save and catalogue is not None:
        with journaled(catalogue):
            _identify(asked, catalogue, load)
    else:
        _identify(asked, catalogue, load)


def _catalogue(asked: Asked) -> Catalogue | None:
    """The catalogue where one is needed or named; else one that is there, if its model is the one in use."""
    folder = catalogue_folder(asked.catalogue)
    if asked.needs_catalogue or asked.catalogue is not None:
        return Catalogue.open(folder)
    if not Catalogue.exists(folder):
        return None
    opened = Catalogue.open(folder)
    own = opened.fingerprint
    return opened if not asked.model or locate_model(asked.model).fingerprint(own.fit).matches(own) else None


def _loader(asked: Asked, catalogue: Catalogue | None) -> Callable[[], Embedder]:
    """Loads the model when it is first asked for."""
    if catalogue is not None:
        return model_loader(catalogue, asked.model, device=asked.device, dtype=asked.dtype)
    return cache(partial(Embedder.load, asked.model or DEFAULT_MODEL, device=asked.device, dtype=asked.dtype))


def _label(asked: Asked, catalogue: Catalogue | None, load: Callable[[], Embedder]) -> None:
    labels = read_bins(asked.bins) if asked.bins else read_labels(asked.labels or "")
    printer = LabelPrinter(asked.format_)
    with meter("Labelling") as progress:
        photos = _photos(asked, catalogue, load, progress)
        classes = label_classes(labels, load, _observer(progress))
        for subjects in photos.counted(_LABELLED_AT_ONCE, progress):
            probabilities = softmax(classes.logits(subjects.block.vectors), asked.settings.temperature)
            for subject, row in zip(subjects.photos, probabilities, strict=True):
                printer.add(subject, labels.best(row, asked.limit))
    printer.close()


def _identify(asked: Asked, catalogue: Catalogue | None, load: Callable[[], Embedder]) -> None:
    among = Among(asked.within, asked.taxa, asked.text_embeddings, asked.neighbours or _NEIGHBOURS)
    printer = _printer(asked, catalogue)
    with meter("Identifying") as progress:
        photos = _photos(asked, catalogue, load, progress) if asked.photos or asked.of_catalogue else None
        method = make_method(asked.way, catalogue, among, load, _observer(progress))
        found = _calibrated(catalogue, method) if asked.calibrate and catalogue else None
        if found and photos:
            progress.say(calibration_line(method.name, found))
        if photos:
            _print(asked, catalogue, printer, method, photos.counted(method.at_once, progress))
    if photos:
        printer.close()
    elif found:
        print_calibration(method.name, found, asked.format_)


def _printer(asked: Asked, catalogue: Catalogue | None) -> IdentificationPrinter | PredictionPrinter:
    if asked.format_ == _PYBIOCLIP:
        return PredictionPrinter(asked.settings.rank)
    return IdentificationPrinter(asked.format_, catalogue, asked.limit)


def _print(
    asked: Asked,
    catalogue: Catalogue | None,
    printer: IdentificationPrinter | PredictionPrinter,
    method: Method,
    batches: Iterable[Subjects],
) -> None:
    """Identify, print what can be printed at once, and keep suggestions where that is asked for."""
    settings = _settings(asked, catalogue)
    if isinstance(printer, PredictionPrinter):
        printer.add(predictions(method, batches, settings))
        return
    run = _saving(asked, catalogue, settings)
    strangers = 0
    for some in batched(identify(method, batches, settings), _TOGETHER):
        printer.add(some, asked.way, settings.temperature)
        if run and catalogue:
            strangers += len(some) - keep_suggestions(catalogue.folder, run, some)
    if strangers:
        note = f"Note: {strangers:,} of the photos are not in the catalogue; index them to keep suggestions for them."
        click.echo(note, err=True)


def _settings(asked: Asked, catalogue: Catalogue | None) -> Settings:
    """With the temperature that was fitted, unless another is asked for; pybioclip has none."""
    kept = None
    if catalogue is not None and asked.temperature is None and asked.format_ != _PYBIOCLIP:
        kept = kept_temperature(catalogue.folder, asked.way, catalogue.fingerprint)
    return replace(asked.settings, temperature=kept) if kept else asked.settings


def _saving(asked: Asked, catalogue: Catalogue | None, settings: Settings) -> Run | None:
    if not asked.save or catalogue is None:
        return None
    return Run(uuid.uuid4().hex, asked.way, catalogue.fingerprint, settings.temperature, datetime.now(UTC))


def _calibrated(catalogue: Catalogue, method: Method) -> Calibration:
    found = calibrate(method, scored(method, sample(catalogue, method)))
    keep_calibration(catalogue.folder, method.name, catalogue.fingerprint, found)
    return found


@dataclass(frozen=True, slots=True)
class _Photos:
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


def _photos(asked: Asked, catalogue: Catalogue | None, load: Callable[[], Embedder], progress: Meter) -> _Photos:
    """What is to be identified. Raises UsageError when there is nothing: known before a model is loaded."""
    if asked.of_catalogue and catalogue is not None:
        where = f"({UNIDENTIFIED}) AND {PRESENT}"
        total = catalogue.count(where)
        if not total:
            raise UsageError("Every photo of the catalogue has a determination; name photos to identify.")
        return _Photos(total, partial(from_catalogue, catalogue, where))
    if not any(os.path.lexists(photo) for photo in asked.photos):
        raise UsageError(
            f"There is no file or folder {printable(str(asked.photos[0]))}; check the spelling of its path."
        )
    files = list(_files(asked.photos, progress))
    if not files:
        raise UsageError(_NO_PHOTO)
    exact = asked.format_ == _PYBIOCLIP and asked.way is MethodName.ZERO_SHOT
    reader = FileReader(load, _reporter(progress), catalogue, pixels if exact else None)
    return _Photos(len(files), partial(reader.subjects, files))


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


def _observer(progress: Meter) -> Observer:
    """Says which names are unknown, and how far the embedding of names is."""
    total = done = 0
    last = time.monotonic()

    def embedding(names: int) -> None:
        nonlocal total
        total = names

    def embedded(names: int) -> None:
        nonlocal done, last
        done += names
        if done < total and time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            progress.say(f"{done:,} of {total:,} names embedded; they are kept for the next time")

    def unknown(name: str) -> None:
        progress.say(f"No taxon bears the name “{name}”; it is left out.")

    return Observer(unknown, embedding, embedded)
