"""How fast is indexing, end to end, and how near to what the machine could do?

    python benchmarks/indexing.py --photos 60
    python benchmarks/indexing.py --folder ARCHIVE --pybioclip OTHER_ENVIRONMENT/bin/python

Paints photos of 12 megapixels (or takes those of --folder), makes a ViT-B-16 with random weights,
and measures in one run, on this machine, photos a second of

- ours: `indexer.run.index` into a new catalogue, from the first decoded photo to the last commit;
- plain: an open_clip loop over a torch DataLoader, full decode, open_clip's own transform, float32;
- pybioclip: its own classes, batches of 10 as its `embed` command takes them, in the environment named by
  --pybioclip (without one: the same steps done here, called serial);

and the bound: on a CPU cores / (core-seconds of decode and embed a photo, each measured alone), on a
GPU the rate of the slower stage. `processor` is the share of the cores' time that our run had: on a
busy machine the bound is out of reach for that reason alone. It also prints the cosine between
embeddings of reduced and full decoding.
"""

import json
import subprocess
import sys
import tempfile
import time
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
from indexer.pace import cores, pace_of, torch_threads
from indexer.plan import SeenFile, make_plan
from indexer.report import Quiet
from indexer.run import IndexOptions, index
from indexer.stage import Stopwatch


class _Clock(Quiet):
    """An observer that only looks at the clock."""

    begun = processor = 0.0

    def begin(self, total: int) -> None:  # noqa: ARG002
        self.begun, self.processor = time.perf_counter(), time.process_time()

    def problem(self, problem: Problem) -> None:
        raise RuntimeError(problem)


class _Photos(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, files: list[Path], transform: object) -> None:
        self._files, self._transform = files, transform

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> torch.Tensor:
        tensor: torch.Tensor = self._transform(Image.open(self._files[number]).convert("RGB"))  # type: ignore[operator]
        return tensor


@click.command()
@click.option("--photos", default=60, help="Photos to paint.")
@click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Real photos instead.")
@click.option("--pybioclip", type=click.Path(path_type=Path, exists=True), help="A Python that has pybioclip.")
@click.option("--arch", default="ViT-B-16", help="open_clip architecture.")
def main(photos: int, folder: Path | None, arch: str, pybioclip: Path | None) -> None:
    """Measure and print one JSON object."""
    with tempfile.TemporaryDirectory() as place:
        model = _random_model(Path(place) / "model", arch)
        source = folder or _paint_large(Path(place) / "photos", photos)
        files = make_plan([source.absolute()], None).new
        embedder = Embedder.load(str(model))
        decode_core, embed_core, cosines = _stages(files, embedder)
        bound = cores() / (decode_core + embed_core)
        if embedder.device.type != "cpu":
            bound = min(cores() / decode_core, 1 / embed_core)
        ours, processor = _ours(source, len(files), model, Path(place) / "catalogue")
        plain = _loop(files, model, batch_size=32, workers=cores())
        name = "pybioclip" if pybioclip else "serial"
        other = _pybioclip(pybioclip, files, model) if pybioclip else _loop(files, model, batch_size=10, workers=0)
        figures = {
            "photos": len(files),
            "cores": cores(),
            "device": str(embedder.device),
            "dtype": str(embedder.dtype),
            "decode_core_seconds": decode_core,
            "embed_core_seconds": embed_core,
            "bound": bound,
            "ours": ours,
            "processor": processor,
            "plain": plain,
            name: other,
            "efficiency": ours / bound,
            "ours_to_plain": ours / plain,
            f"ours_to_{name}": ours / other,
            "cosine_reduced_to_full": dict(zip(("min", "5%", "median"), map(float, cosines), strict=True)),
        }
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
    """Seconds a photo of decoding and embedding alone on one core, and the cosines of reduced to full decoding."""
    sample = files[:: max(1, len(files) // 64)]
    began = time.process_time()
    decoded = [decode(seen, embedder.preprocessing, known=(), reading=Stopwatch()) for seen in sample]
    decode_core = (time.process_time() - began) / len(sample)
    pixels = np.stack([item.pixels for item in decoded if isinstance(item, Decoded)])
    size = pace_of(embedder).batch_size
    on_cpu = embedder.device.type == "cpu"
    clock = time.process_time if on_cpu else time.perf_counter
    with torch_threads(1):
        embedder.encode_pixels(pixels[:size])
        began = clock()
        reduced = _encode(embedder, pixels, size)
        embed_core = (clock() - began) / len(pixels)
    whole = np.stack([embedder.preprocessing.apply(open_photo(seen.place.file).image) for seen in sample])
    full = _encode(embedder, whole, size)
    return decode_core, embed_core, np.quantile((reduced * full).sum(axis=1), (0, 0.05, 0.5))


def _encode(embedder: Embedder, pixels: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([embedder.encode_pixels(pixels[at : at + size]) for at in range(0, len(pixels), size)])


def _ours(source: Path, count: int, model: Path, catalogue: Path) -> tuple[float, float]:
    """Photos a second, and the share of the cores' time that the process had."""
    clock = _Clock()
    index(IndexOptions((source,), catalogue, model=str(model)), clock)
    seconds = time.perf_counter() - clock.begun
    return count / seconds, (time.process_time() - clock.processor) / seconds / cores()


def _pybioclip(python: Path, files: list[SeenFile], model: Path) -> float:
    """Photos a second of pybioclip's own embedding, in its own environment; loading is not counted."""
    script = """
import json, sys, time
from bioclip.predict import BaseClassifier, preprocess_img
files = json.load(sys.stdin)
classifier = BaseClassifier(model_str="local-dir:" + sys.argv[1])
classifier.preprocess = preprocess_img
began = time.perf_counter()
for at in range(0, len(files), 10):
    images = [classifier.ensure_rgb_image(file) for file in files[at:at + 10]]
    classifier.create_image_features(images)
print(len(files) / (time.perf_counter() - began))
"""
    names = json.dumps([str(seen.place.file) for seen in files])
    done = subprocess.run(
        [python, "-c", script, model], input=names, capture_output=True, text=True, check=True, cwd=model
    )
    return float(done.stdout.split()[-1])


def _loop(files: list[SeenFile], folder: Path, batch_size: int, workers: int) -> float:
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    photos = _Photos([seen.place.file for seen in files], transform)
    loader = torch.utils.data.DataLoader(photos, batch_size=batch_size, num_workers=workers)
    began = time.perf_counter()
    with torch.inference_mode():
        for batch in loader:
            model.encode_image(batch, normalize=True)
    return len(files) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
