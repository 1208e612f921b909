"""From the plan to batches: places in shards -> pictures, captions, tokens.

Every random choice (crop, type of text) is drawn from the seed, the step and the row of the batch alone.
So a sample is the same whichever process reads it, and nothing but the position need be kept to go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import Taxon, TextType
from training.plan import Position
from training.reading_parts import DataPart
from training.shard_index import text_number
from training.shard_samples import ShardSamples
from training.shards.reading import Sample, picture_of, sample_of

__all__ = ["Batch", "Captions", "Draw", "SampleReader", "random_crop"]

_CAPTION, _CROP, _OWN = 1, 2, 3  # what a random number is for


class Draw(NamedTuple):
    """One row of one step's batch: which sample of which folder."""

    step: int
    row: int
    folder: int
    sample: int


@dataclass(frozen=True, slots=True)
class Batch:
    """This process's rows of a batch.

    `pixels` uint8 [n, 3, size, size]; `tokens` int64 [n, context]; `labels` int64 [n, 2]: the numbers of
    the taxon's scientific name and of the caption. `positions` are those after the batch.
    """

    pixels: torch.Tensor
    tokens: torch.Tensor
    labels: torch.Tensor
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Captions:
    """Draws the type of text, once a step or once a sample, and makes the caption of a taxon.

    A share `own` of the samples that bring captions of their own is given one of those instead, and so are all
    that have no name.
    """

    text_types: tuple[TextType, ...]
    each_sample: bool
    caption: str
    seed: int
    own: float = 0.0

    @classmethod
    def of(cls, data: DataPart, seed: int) -> "Captions":
        types = tuple(map(TextType, data.text_types))
        return cls(types, data.text_draw == "sample", data.caption, seed, data.own_captions)

    def of_sample(self, taxon: Taxon, captions: Sequence[str], step: int, row: int) -> str:
        nameless = taxon.text(TextType.SCIENTIFIC) is None
        if captions and (self.own or nameless):
            rng = np.random.default_rng((self.seed, _OWN, step, row))
            if rng.random() < self.own or nameless:
                return str(captions[int(rng.integers(len(captions)))])
        return self.of_taxon(taxon, step, row)

    def of_taxon(self, taxon: Taxon, step: int, row: int) -> str:
        rng = np.random.default_rng((self.seed, _CAPTION, step, row if self.each_sample else 0))
        kind = self.text_types[rng.integers(len(self.text_types))]
        return self.caption.replace("{}", taxon.text(kind) or "")


class SampleReader(Dataset[Any]):
    """Turns draws into parts of a batch; runs in the worker processes.

    Pictures are cropped as open_clip's trainer does, and resized as the model's queries will be.
    """

    def __init__(
        self,
        folders: Sequence[ShardSamples],
        captions: Captions,
        tokenizer: Callable[[list[str]], torch.Tensor],
        size: int,
        crop_scale: tuple[float, ...],
        resampling: Image.Resampling = Image.Resampling.BICUBIC,
    ) -> None:
        self._folders = tuple(folders)
        self._captions = captions
        self._tokenizer = tokenizer
        self._size = size
        self._scale = (crop_scale[0], crop_scale[1])
        self._resampling = resampling

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("samples are read in parts of a batch")

    def __getitems__(self, draws: Sequence[Draw]) -> tuple[torch.Tensor, ...] | RecordError:
        """Pixels, tokens and labels as in Batch; or what is wrong, for raised here it would come with a traceback."""
        try:
            return self._part(draws)
        except RecordError as error:
            return error

    def _part(self, draws: Sequence[Draw]) -> tuple[torch.Tensor, ...]:
        pixels, texts, labels = [], [], []
        for draw in draws:
            folder = self._folders[draw.folder]
            with folder.naming(draw.sample):
                jpeg, described = folder.read(draw.sample)
                sample = sample_of(described)
                pixels.append(self._picture(jpeg, draw))
            texts.append(self._caption(sample, draw))
            # What has no name is of no taxon that another could share.
            taxon = sample.taxon.text(TextType.SCIENTIFIC) or f"sample {draw.sample} of folder {draw.folder}"
            labels.append((text_number(taxon), text_number(texts[-1])))
        stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
        return stacked, self._tokenizer(texts), torch.tensor(labels, dtype=torch.int64)

    def _caption(self, sample: Sample, draw: Draw) -> str:
        return self._captions.of_sample(sample.taxon, sample.captions, draw.step, draw.row)

    def _picture(self, jpeg: bytes, draw: Draw) -> np.ndarray:
        rng = np.random.default_rng((self._captions.seed, _CROP, draw.step, draw.row))
        picture = picture_of(jpeg)
        left, top, width, height = random_crop(*picture.size, self._scale, rng)
        cropped = picture.crop((left, top, left + width, top + height))
        return np.asarray(cropped.resize((self._size, self._size), self._resampling))


def random_crop(
    width: int, height: int, scale: tuple[float, float], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Left, top, width and height of a crop, drawn as torchvision's RandomResizedCrop does.

    The share of the area is in `scale`, the aspect ratio between 3:4 and 4:3; where ten draws do not
    fit, it is the largest centred box of such a ratio.
    """
    for _ in range(10):
        area = width * height * rng.uniform(*scale)
        ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h
    w, h = min(width, round(height * 4 / 3)), min(height, round(width / (3 / 4)))
    return (width - w) // 2, (height - h) // 2, w, h
