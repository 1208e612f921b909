"""Which checkpoint of a run names most of the photos that were kept for validation."""

from pathlib import Path

import numpy as np
from PIL import Image

from bioclip_search.embedder import Embedder
from bioclip_search.errors import UsageError
from bioclip_search.prompts import caption
from bioclip_search.taxonomy import TextType
from bioclip_search.text import printable
from training.checkpoint import written_checkpoints
from training.export import read_origin
from training.shard_photos import shard_photos

__all__ = ["best_checkpoint"]

_MOST = 2_000
_AT_ONCE = 64

_Sample = tuple[Image.Image, str]


def best_checkpoint(run: Path, *, ema: bool = False) -> Path:
    """The checkpoint whose model is right most often, zero-shot, on the split val of the run's (first) shards.

    At most 2,000 photos are asked, each among the taxa of all of them; of equals the later one is taken.
    `ema` judges the running means. Raises UsageError, RecordError where there is no split val.
    """
    written = written_checkpoints(run / "checkpoints")
    if not written:
        raise UsageError(f"{printable(str(run))} is no run with checkpoints to choose from; leave --best out.")
    folders = [path / "ema" for path in written] if ema else written
    if missing := [path for path in folders if not path.is_dir()]:
        raise UsageError(f"The checkpoint {printable(str(missing[0].parent))} has no mean weights; leave --ema out.")
    shards = Path(read_origin(written[-1]).recipe["data"]["shards"][0]["path"])
    photos = shard_photos(shards, "val", run / "index", _MOST)
    samples = [(picture, taxon.text(TextType.TAXONOMIC_COMMON) or "") for picture, taxon in photos]
    shares = [_right(Embedder.load(str(folder)), samples) for folder in folders]
    return written[max(range(len(written)), key=lambda number: (shares[number], number))]


def _right(embedder: Embedder, samples: list[_Sample]) -> float:
    """The share of photos whose own taxon's text is the nearest of all."""
    texts = sorted({text for _, text in samples})
    classes = embedder.encode_texts([caption(text) for text in texts])
    right = 0
    for start in range(0, len(samples), _AT_ONCE):
        part = samples[start : start + _AT_ONCE]
        found = (embedder.encode_images([picture for picture, _ in part]) @ classes.T).argmax(axis=1)
        right += int(np.sum([texts[at] == text for at, (_, text) in zip(found, part, strict=True)]))
    return right / len(samples)
