"""How fast is indexing, end to end, and how near to what the machine could do?

    python benchmarks/indexing.py --photos 60

Paints photos of 12 megapixels (or takes those of --folder), makes a ViT-B-16 with random weights,
and measures in one run, on this machine, photos a second of

- ours: `indexer.run.index` into a new catalogue, from the first decoded photo to the last commit;
- plain: an open_clip loop over a torch DataLoader, full decode, open_clip's own transform, float32;
- serial: the same without workers in batches of 10, as pybioclip's `embed` does it;

and the bound: cores / (core-seconds of decode and embed a photo, each measured alone).
It also prints the cosine between embeddings of reduced and full decoding.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file

from bioclip_search.demo.specimens import SPECIES, paint
from bioclip_search.embedder import Embedder
from bioclip_search.journal import Problem
from bioclip_search.photo import open_photo
from indexer.decode import Decoded, decode
from indexer.run import IndexOptions, index
from indexer.walk import SeenFile, walk


class _Clock:
    """An observer that only looks at the clock."""

    begun = 0.0

    def begin(self, total: int) -> None:  # noqa: ARG002
        self.begun = time.perf_counter()

    def advance(self, photos: int) -> None:
        pass

    def problem(self, problem: Problem) -> None:
        raise RuntimeError(problem)

    def may_prune(self, gone: int, rows: int) -> bool:  # noqa: ARG002
        return False


class _Photos(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, files: list[Path], transform: object) -> None:
        self._files, self._transform = files, transform

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> torch.Tensor:
        tensor: torch.Tensor = self._transform(Image.open(self._files[number]))  # type: ignore[operator]
        return tensor


@click.command()
@click.option("--photos", default=60, help="Photos to paint.")
@click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Real photos instead.")
@click.option("--arch", default="ViT-B-16", help="open_clip architecture.")
def main(photos: int, folder: Path | None, arch: str) -> None:
    """Measure and print one JSON object."""
    with tempfile.TemporaryDirectory() as place:
        model = _random_model(Path(place) / "model", arch)
        source = folder or _paint_large(Path(place) / "photos", photos)
        files = list(walk(source, lambda folder, reason: sys.stderr.write(f"{folder}: {reason}\n")))
        embedder = Embedder.load(str(model))
        decode_core, embed_core, cosines = _stages(files, embedder)
        figures = {
            "photos": len(files),
            "cores": os.cpu_count(),
            "dtype": str(embedder.dtype),
            "decode_core_seconds": decode_core,
            "embed_core_seconds": embed_core,
            "bound": (os.cpu_count() or 1) / (decode_core + embed_core),
            "ours": _ours(source, len(files), model, Path(place) / "catalogue"),
            "plain": _loop(files, model, batch_size=32, workers=os.cpu_count() or 1),
            "serial": _loop(files, model, batch_size=10, workers=0),
            "cosine_reduced_to_full": dict(zip(("min", "5%", "median"), cosines, strict=True)),
        }
        figures["efficiency"] = figures["ours"] / figures["bound"]
        figures["ours_to_plain"] = figures["ours"] / figures["plain"]
        figures["ours_to_serial"] = figures["ours"] / figures["serial"]
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _random_model(folder: Path, arch: str) -> Path:
    folder.mkdir()
    torch.manual_seed(0)
    model = open_clip.create_model(arch)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    config = {"model_cfg": open_clip.get_model_config(arch), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


def _paint_large(folder: Path, count: int) -> Path:
    """12-megapixel JPEGs with the grain of a camera, so that they weigh what real ones do."""
    folder.mkdir()
    grain = np.random.default_rng(0).normal(0, 6, (3000, 4000, 1)).astype(np.int16)
    for number in range(count):
        picture = paint(SPECIES[number % len(SPECIES)], number, scale=1.5).picture.resize((4000, 3000))
        pixels = np.clip(np.asarray(picture, dtype=np.int16) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04d}.jpg", quality=85)
    return folder


def _stages(files: list[SeenFile], embedder: Embedder) -> tuple[float, float, np.ndarray]:
    """Core-seconds a photo of decoding and embedding alone, and the cosines of reduced to full decoding."""
    sample = files[: min(len(files), 64)]
    began = time.process_time()
    decoded = [decode(seen, embedder.preprocessing, known=()) for seen in sample]
    decode_core = (time.process_time() - began) / len(sample)
    pixels = np.stack([item.pixels for item in decoded if isinstance(item, Decoded)])
    embedder.encode_pixels(pixels[:8])
    began = time.process_time()
    reduced = np.concatenate(list(_batches(embedder, pixels)))
    embed_core = (time.process_time() - began) / len(pixels)
    whole = np.stack([embedder.preprocessing.apply(open_photo(seen.file).image) for seen in sample])
    full = np.concatenate(list(_batches(embedder, whole)))
    return decode_core, embed_core, np.quantile((reduced * full).sum(axis=1), (0, 0.05, 0.5))


def _batches(embedder: Embedder, pixels: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(pixels), 64):
        yield embedder.encode_pixels(pixels[start : start + 64])


def _ours(source: Path, count: int, model: Path, catalogue: Path) -> float:
    clock = _Clock()
    index(IndexOptions((source,), catalogue, model=str(model)), clock)
    return count / (time.perf_counter() - clock.begun)


def _loop(files: list[SeenFile], folder: Path, batch_size: int, workers: int) -> float:
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    photos = _Photos([seen.file for seen in files], transform)
    loader = torch.utils.data.DataLoader(photos, batch_size=batch_size, num_workers=workers)
    began = time.perf_counter()
    with torch.inference_mode():
        for batch in loader:
            model.encode_image(batch, normalize=True)
    return len(files) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
