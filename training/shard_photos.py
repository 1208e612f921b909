"""The photos of a split of shards with their taxa, in the shards' order: to measure a model on."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from PIL import Image

from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import Taxon
from bioclip_search.text import printable
from training.data import ShardSamples
from training.run_recipe import ShardSource
from training.shard_index import index_all, open_folder

__all__ = ["shard_photos"]


def shard_photos(shards: Path, split: str, index: Path, most: int | None = None) -> Iterator[tuple[Image.Image, Taxon]]:
    """RGB pictures and taxa, at most so many; the places of samples are kept in the folder `index`.

    Raises RecordError for shards that cannot be read or have no such split.
    """
    folder = open_folder(ShardSource(str(shards), split=split))
    index_all(folder.shards, index, lambda _: None)
    with closing(ShardSamples(folder.shards, index)) as samples:
        for number in range(folder.samples if most is None else min(folder.samples, most)):
            try:
                jpeg, described = samples.read(number)
                with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as opened:
                    yield opened.convert("RGB"), Taxon.from_ranks(json.loads(described))
            except (OSError, ValueError) as error:
                raise RecordError(f"{printable(samples.name(number))} cannot be read ({error}).") from error
