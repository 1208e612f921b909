"""Retrain the built-in model: paint, pack, train, measure, export, with the parts that anyone trains with.

    python -m training.builtin

Stopped anywhere, the same command goes on. The result is for trying the program out, not for science.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioclip_search.atomic import write_json

if TYPE_CHECKING:
    import torch

__all__ = ["main"]

_EACH, _EACH_UNSEEN, _FIRST_SEED = 212, 40, 10_000_000
_SIDE, _QUALITY, _VAL = 128, 92, 0.05


@click.command()
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path("build", "builtin"),
    show_default=True,
    help="Photos, shards and checkpoints are kept here.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(__file__).parent.parent / "bioclip_search" / "demo" / "builtin",
    help="Where the model is put. Default: into the package.",
)
@click.option("--workers", default=2, show_default=True, help="Processes that paint.")
def main(work: Path, out: Path, workers: int) -> None:
    """Paint specimens, train the built-in model on them, measure it and put it into the package."""
    from training.builtin_card import card_words
    from training.builtin_measure import measure
    from training.export import export_model

    records = _paint(work, workers)
    shards = _pack(work, records)
    checkpoint = _train(work, shards)
    tokens, weights = _with_known_words(checkpoint, records)
    with _timed(work, "measuring"):
        # Measured is what is shipped: the rounded weights, loaded as anyone loads them.
        trial = export_model(checkpoint, work / "model", numbers="float16", weights=weights, force=True)
        measured = measure(trial.folder, shards, work / "run" / "index")
    words = card_words(measured, tokens, _seconds(work))
    export_model(checkpoint, out.absolute(), numbers="float16", weights=weights, force=True, words=words)
    _say(f"wrote {out}")


def _paint(work: Path, workers: int) -> Path:
    import open_clip

    from bioclip_search.demo.specimens import SPECIES
    from training.captions import Captioner
    from training.painted import Painted, paint_collection

    captioner = Captioner(SPECIES, open_clip.OPENAI_IMAGENET_TEMPLATES)
    painted = Painted(_EACH, _EACH_UNSEEN, _FIRST_SEED)
    with _timed(work, "painting"):
        return paint_collection(work / "painted", painted, captioner, workers=workers, progress=_Lines().advance)


def _pack(work: Path, records: Path) -> Path:
    """Shards with the splits train, val (specimens of the same species) and unseen (other species)."""
    from training.shards.picture import Shape
    from training.shards.plan import Dealt
    from training.shards.run import ShardOptions, write_shards
    from training.shards.species import species_key
    from training.shards.table import TableSource
    from training.shards.write import Form
    from training.unseen_species import UNSEEN_SPECIES

    unseen = frozenset(species_key(species.taxon.species or "") for species in UNSEEN_SPECIES)
    form = Form(Shape(_SIDE, quality=_QUALITY), max_count=5_000)
    options = ShardOptions((work / "shards").absolute(), Dealt(val=_VAL, unseen=unseen), form)
    with _timed(work, "packing"):
        write_shards(TableSource(records), options, _Lines())
    return options.folder


def _train(work: Path, shards: Path) -> Path:
    from training.loop import run_training
    from training.run_recipe import load_run_recipe

    recipe = load_run_recipe("builtin").on_shards([shards])
    with _timed(work, "training"):
        report = run_training(recipe, work / "run", _Lines(), resume=True, device="cpu")
    if report.stopped_by:
        sys.exit(128 + report.stopped_by)
    return report.checkpoint


def _with_known_words(checkpoint: Path, records: Path) -> "tuple[int, dict[str, torch.Tensor]]":
    """The number of tokens that occur in the captions, and the weights in which all others say nothing."""
    import open_clip
    from safetensors.torch import load_file

    from bioclip_search.records import stream_table
    from bioclip_search.taxonomy import Taxon, TextType
    from training.run_recipe import load_run_recipe
    from training.words import neutralise_unseen_tokens

    recipe = load_run_recipe("builtin")
    texts = {template("") for template in open_clip.OPENAI_IMAGENET_TEMPLATES}
    for record in stream_table(records).records:
        if captions := record.get("captions"):  # those of the species to be seen have some
            texts.update(captions.split("|"))
            taxon = Taxon.from_ranks(record)
            texts.update(recipe.data.caption.replace("{}", taxon.text(kind) or "") for kind in TextType)
    weights = load_file(checkpoint / "open_clip_model.safetensors")
    context = (recipe.model.config or {})["text_cfg"]["context_length"]
    tokenizer = open_clip.SimpleTokenizer(context_length=context)
    return neutralise_unseen_tokens(weights["token_embedding.weight"], sorted(texts), tokenizer), weights


@contextmanager
def _timed(work: Path, stage: str) -> Iterator[None]:
    """Adds the seconds of a stage to those of earlier runs, in times.json."""
    started = time.monotonic()
    _say(stage)
    try:
        yield
    finally:
        file = work / "times.json"
        times = _times(work)
        times[stage] = times.get(stage, 0.0) + time.monotonic() - started
        write_json(file, times)


def _times(work: Path) -> dict[str, float]:
    file = work / "times.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _seconds(work: Path) -> dict[str, float]:
    """By stage, over all runs that it took."""
    return {stage: round(seconds) for stage, seconds in _times(work).items()}


class _Lines:
    """Progress as lines on standard error."""

    def __init__(self) -> None:
        self._done, self._said = 0, time.monotonic()

    def begin(self, total: int) -> None:
        self.say(f"{total:,} photos")

    def advance(self, photos: int) -> None:
        self._done += photos
        if time.monotonic() - self._said > 30:
            self.say(f"{self._done:,} photos done")
            self._said = time.monotonic()

    def planned(self, photos: int) -> None:
        pass

    def problem(self, problem: object) -> None:
        self.say(f"skipped: {problem}")

    def say(self, line: str) -> None:
        _say(line)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
