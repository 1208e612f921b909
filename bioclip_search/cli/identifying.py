"""What `identify` does: opens what is asked for, reads photos, prints and keeps what they are."""

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial

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
from bioclip_search.cli.identify_options import PYBIOCLIP, Asked
from bioclip_search.cli.identify_photos import asked_photos
from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.progress import Meter, meter
from bioclip_search.config import catalogue_folder
from bioclip_search.embedder import Embedder
from bioclip_search.errors import UsageError
from bioclip_search.identification import (
    Among,
    Calibration,
    Method,
    Observer,
    Run,
    Settings,
    Subjects,
    calibrate,
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
from bioclip_search.identification.pybioclip import predictions
from bioclip_search.identification.softmax import softmax
from bioclip_search.identification.text_origin import TextOrigin
from bioclip_search.loading import model_loader
from bioclip_search.models import BUILTIN, DEFAULT_MODEL, is_on_hub, locate_model
from bioclip_search.text import printable

__all__ = ["run"]

_NEIGHBOURS = 20
_LABELLED_AT_ONCE = 1_024
_TOGETHER = 256
_SECONDS_BETWEEN_LINES = 5.0


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
    return cache(partial(Embedder.load, _model_name(asked), device=asked.device, dtype=asked.dtype))


def _model_name(asked: Asked) -> str:
    """The model asked for; else that of the text embeddings, if its name finds it."""
    if asked.model or asked.text_embeddings is None:
        return asked.model or DEFAULT_MODEL
    origin = TextOrigin.read(asked.text_embeddings, asked.text_embeddings.with_suffix(".json"))
    name = DEFAULT_MODEL if origin is None else origin.model.model
    if name == BUILTIN or is_on_hub(name):
        return name
    raise UsageError(
        f"The text embeddings {printable(str(asked.text_embeddings))} are of the model {printable(name)}; say with "
        "--model where its folder is."
    )


def _label(asked: Asked, catalogue: Catalogue | None, load: Callable[[], Embedder]) -> None:
    labels = read_bins(asked.bins) if asked.bins else read_labels(asked.labels or "")
    printer = LabelPrinter(asked.format_)
    with meter("Labelling") as progress:
        photos = asked_photos(asked, catalogue, load, progress)
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
        photos = asked_photos(asked, catalogue, load, progress) if asked.photos or asked.of_catalogue else None
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
    if asked.format_ == PYBIOCLIP:
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
    if catalogue is not None and asked.temperature is None and asked.format_ != PYBIOCLIP:
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


def _observer(progress: Meter) -> Observer:
    """Says which names are unknown, what could not be checked, and how far the embedding of names is."""
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

    def warned(sentence: str) -> None:
        progress.say(f"Note: {sentence}")

    return Observer(unknown, embedding, embedded, warned)
