"""From the plan to batches: places in shards -> pictures, captions, tokens.

Every random choice (crop, type of text) is drawn from the seed, the step and the row of the batch alone.
So a sample is the same whichever process reads it, and nothing but the position need be kept to go on.
"""

import atexit
import io
import json
import multiprocessing
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from bioclip_search.errors import RecordError
from bioclip_search.taxonomy import Taxon, TextType
from training.plan import FolderPlan, Numbers, Position, mixed
from training.run_recipe import DataPart
from training.shard_index import COLUMNS, Shard, text_number

__all__ = ["Batch", "Captions", "Draw", "SampleReader", "ShardSamples", "local_batches", "random_crop"]

_CHUNK = 128  # rows a worker makes at a time: enough to be worth sending, few enough to hold many
_OPEN_SHARDS = 64
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

    A share `own` of the samples that bring captions of their own is given one of those instead.
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
        if captions and self.own:
            rng = np.random.default_rng((self.seed, _OWN, step, row))
            if rng.random() < self.own:
                return str(captions[int(rng.integers(len(captions)))])
        return self.of_taxon(taxon, step, row)

    def of_taxon(self, taxon: Taxon, step: int, row: int) -> str:
        rng = np.random.default_rng((self.seed, _CAPTION, step, row if self.each_sample else 0))
        kind = self.text_types[rng.integers(len(self.text_types))]
        return self.caption.replace("{}", taxon.text(kind) or "")


class ShardSamples:
    """The samples of a folder of shards, read from their places one by one."""

    def __init__(self, shards: Sequence[Shard], index: Path) -> None:
        self._shards = tuple(shards)
        self._index = index
        self._starts = np.concatenate([[0], np.cumsum([shard.samples for shard in shards])])
        self._opened: OrderedDict[int, tuple[int, Numbers]] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": OrderedDict()}  # a worker opens files of its own

    def column(self, name: str) -> Numbers:
        """int64 [samples]: one column of the index."""
        paths = [shard.index_path(self._index) for shard in self._shards]
        return np.concatenate([np.load(path, mmap_mode="r")[:, COLUMNS.index(name)] for path in paths])

    def read(self, sample: int) -> tuple[bytes, bytes]:
        """The JPEG and the JSON of a sample."""
        number = int(np.searchsorted(self._starts, sample, side="right")) - 1
        stream, places = self._open(number)
        jpeg_start, jpeg_size, json_start, json_size = places[sample - self._starts[number], :4].tolist()
        return os.pread(stream, jpeg_size, jpeg_start), os.pread(stream, json_size, json_start)

    def _open(self, number: int) -> tuple[int, Numbers]:
        """A shard's file and places; those used longest ago are closed, for a process may open only so many."""
        if number not in self._opened:
            shard = self._shards[number]
            places = np.load(shard.index_path(self._index), mmap_mode="r")
            self._opened[number] = (os.open(shard.path, os.O_RDONLY), places)
            self.close(_OPEN_SHARDS)
        self._opened.move_to_end(number)
        return self._opened[number]

    def close(self, but: int = 0) -> None:
        """Close all files but the `but` last used."""
        while len(self._opened) > but:
            os.close(self._opened.popitem(last=False)[1][0])

    def name(self, sample: int) -> str:
        """For messages."""
        number = int(np.searchsorted(self._starts, sample, side="right")) - 1
        return f"sample {sample - self._starts[number]:,} of {self._shards[number].path}"


class SampleReader(Dataset[Any]):
    """Turns draws into parts of a batch; runs in the worker processes."""

    def __init__(
        self,
        folders: Sequence[ShardSamples],
        captions: Captions,
        tokenizer: Callable[[list[str]], torch.Tensor],
        size: int,
        crop_scale: tuple[float, ...],
    ) -> None:
        self._folders = tuple(folders)
        self._captions = captions
        self._tokenizer = tokenizer
        self._size = size
        self._scale = (crop_scale[0], crop_scale[1])

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
            try:
                jpeg, described = self._folders[draw.folder].read(draw.sample)
                document = json.loads(described)
                taxon = Taxon.from_ranks(document)
                pixels.append(self._picture(jpeg, draw))
            except (OSError, ValueError) as error:
                name = self._folders[draw.folder].name(draw.sample)
                raise RecordError(f"{name} cannot be read ({error}); copy the shard again.") from error
            texts.append(self._caption(document, taxon, draw))
            labels.append((text_number(taxon.text(TextType.SCIENTIFIC) or ""), text_number(texts[-1])))
        stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
        return stacked, self._tokenizer(texts), torch.tensor(labels, dtype=torch.int64)

    def _caption(self, document: dict[str, Any], taxon: Taxon, draw: Draw) -> str:
        return self._captions.of_sample(taxon, document.get("captions") or (), draw.step, draw.row)

    def _picture(self, jpeg: bytes, draw: Draw) -> np.ndarray:
        rng = np.random.default_rng((self._captions.seed, _CROP, draw.step, draw.row))
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as opened:
            picture = opened.convert("RGB")
        left, top, width, height = random_crop(*picture.size, self._scale, rng)
        cropped = picture.crop((left, top, left + width, top + height))
        return np.asarray(cropped.resize((self._size, self._size), Image.Resampling.BICUBIC))


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


def local_batches(
    reader: SampleReader,
    plans: Sequence[FolderPlan],
    starts: Sequence[Position],
    first_step: int,
    part: slice,
    *,
    workers: int,
    pin: bool,
) -> Iterator[Batch]:
    """Without end: the rows `part` of every batch from `first_step` on, read ahead by `workers` processes."""
    coming: deque[tuple[Position, ...]] = deque()
    loader: DataLoader[Any] = DataLoader(
        reader,
        batch_sampler=_Chunks(plans, starts, first_step, part, coming),
        collate_fn=_as_it_is,
        num_workers=workers,
        pin_memory=pin,
        # Forking after torch has threads can hang.
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_prepare_worker if workers else None,
        # It would draw from the generator that dropout draws from, once more in a run that goes on.
        generator=torch.Generator(),
    )
    if workers:
        _end_workers_at_exit()
    with _signals_held():
        chunks = iter(loader)
    rows = part.stop - part.start
    try:
        while True:
            parts = [next(chunks) for _ in range(0, rows, _CHUNK)]
            for wrong in parts:
                if isinstance(wrong, RecordError):
                    raise wrong
            pixels, tokens, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
            yield Batch(pixels, tokens, labels, coming.popleft())
    finally:
        del chunks  # the workers end with it, which a traceback that holds this frame would put off


@contextmanager
def _signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM come to this process a moment later, and never to the processes that begin meanwhile."""
    import signal
    from multiprocessing import resource_tracker

    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # beginning later, it would let the signals go again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@cache
def _end_workers_at_exit() -> None:
    """Python ends daemons by SIGTERM and waits for them: for ever, where they ignore it as ours do."""

    def end() -> None:
        for child in multiprocessing.active_children():
            if child.daemon:
                child.kill()

    atexit.register(end)


class _Chunks:
    """Lists of draws for the loader; the positions are put into `coming` as their batches are begun."""

    def __init__(
        self,
        plans: Sequence[FolderPlan],
        starts: Sequence[Position],
        first_step: int,
        part: slice,
        coming: deque[tuple[Position, ...]],
    ) -> None:
        self._planned = partial(mixed, plans, starts)
        self._first_step = first_step
        self._part = part
        self._coming = coming

    def __iter__(self) -> Iterator[list[Draw]]:
        for step, (positions, samples) in enumerate(self._planned(), start=self._first_step):
            self._coming.append(tuple(positions))
            pairs = ((folder, int(sample)) for folder, part in enumerate(samples) for sample in part)
            draws = [Draw(step, row, folder, sample) for row, (folder, sample) in enumerate(pairs)][self._part]
            yield from (draws[start : start + _CHUNK] for start in range(0, len(draws), _CHUNK))


def _as_it_is(part: Any) -> Any:
    return part


def _prepare_worker(_number: int) -> None:
    """One thread a worker; signals are for the process that trains, which ends its workers itself."""
    import signal

    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
