"""Does `identify --format pybioclip` print what pybioclip prints?

    python benchmarks/pybioclip.py --pybioclip OTHER_ENVIRONMENT/bin/python

Makes a ViT-B-16 with random weights (logit scale 100, as trained models have it) in the layout of the hub's
cache under the name of BioCLIP, text embeddings of made-up taxa under that of TreeOfLife-10M, and photos: squares
of 224 pixels, for which neither tool resizes anything, and oblong JPEGs. Runs both command lines side by side,
without network, on the CPU in float32: labels, bins, species and families. Prints for each whether columns and
rows are the same, and the largest difference of a score; and the largest difference where ours sees the
oblong photos in its own way (`--format csv`: a bicubic squash of pictures that are reduced while decoding).
"""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import open_clip
import torch

from bioclip_search.demo.specimens import SPECIES, paint

_MODEL = "hf-hub:imageomics/bioclip"
_REVISION = "0" * 40
_LABELS = ("dorsal view", "ventral view", "label only", "herbarium sheet", "pinned insect")
_BINS = "label,bin\ndorsal view,animal\nventral view,animal\nlabel only,paper\nherbarium sheet,paper\n"
_WIDER = ("Animalia", "Arthropoda", "Insecta")
_TAXA = 400


@click.command()
@click.option("--pybioclip", type=click.Path(path_type=Path, exists=True), required=True, help="A Python that has it.")
@click.option("--photos", default=4, help="Photos of each kind.")
def main(pybioclip: Path, photos: int) -> None:
    """Compare and print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        texts = _hub(place / "hub")
        squares, oblongs = _photos(place / "photos", photos)
        (place / "bins.csv").write_text(_BINS)
        tools = _Tools(pybioclip, place)
        labels = ",".join(_LABELS)
        asked = {
            "labels": (["--cls", labels], ["--labels", labels]),
            "bins": (["--bins", "bins.csv", "--k", "2"], ["--bins", "bins.csv", "-k", "2"]),
            "species": (["--rank", "species"], ["--text-embeddings", str(texts)]),
            "family": (["--rank", "family"], ["--text-embeddings", str(texts), "--rank", "family"]),
        }
        figures: dict[str, Any] = {}
        for kind, files in (("same pixels", squares), ("oblong photos", oblongs)):
            figures[kind] = {name: _compared(tools, files, *words) for name, words in asked.items()}
        figures["own preprocessing"] = _own(tools, oblongs, asked["labels"])
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")


class _Tools:
    def __init__(self, pybioclip: Path, place: Path) -> None:
        self._pybioclip, self._place = pybioclip, place
        self._env = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_CACHE": str(place / "hub"),
            "BIOCLIP_SEARCH_CACHE": str(place / "cache"),
            "BIOCLIP_SEARCH_CATALOGUE": str(place / "none"),
        }

    def theirs(self, files: list[str], words: list[str]) -> list[dict[str, str]]:
        return self._rows([self._pybioclip, "-m", "bioclip", "predict", *files, "--model", _MODEL, *words])

    def ours(self, files: list[str], words: list[str], format_: str = "pybioclip") -> list[dict[str, str]]:
        exact = ["--device", "cpu", "--dtype", "float32", "--format", format_]
        command = [sys.executable, "-m", "bioclip_search", "identify", *files, "--model", "bioclip", *words, *exact]
        return self._rows(command)

    def _rows(self, command: list[Any]) -> list[dict[str, str]]:
        done = subprocess.run(command, env=self._env, cwd=self._place, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return list(csv.DictReader(io.StringIO(done.stdout)))


def _compared(tools: _Tools, files: list[str], theirs: list[str], ours: list[str]) -> dict[str, Any]:
    left, right = tools.theirs(files, theirs), tools.ours(files, ours)
    return {
        "columns": list(left[0]),
        "same columns": list(left[0]) == list(right[0]),
        "rows": len(left),
        "same rows": [_names(row) for row in left] == [_names(row) for row in right],
        "largest difference of a score": _difference(_scores(left), _scores(right)),
        "range of scores": [min(_scores(left).values()), max(_scores(left).values())],
    }


def _own(tools: _Tools, files: list[str], words: tuple[list[str], list[str]]) -> dict[str, Any]:
    left, right = tools.theirs(files, words[0]), tools.ours(files, words[1], "csv")
    renamed = [{"file_name": row["file"], **{k: v for k, v in row.items() if k != "file"}} for row in right]
    return {"labels": {"largest difference of a score": _difference(_scores(left), _scores(renamed))}}


def _names(row: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((column, cell) for column, cell in row.items() if column != "score")


def _scores(rows: list[dict[str, str]]) -> dict[tuple[tuple[str, str], ...], float]:
    return {_names(row): float(row["score"]) for row in rows}


def _difference(left: dict[Any, float], right: dict[Any, float]) -> float | None:
    return max(abs(left[name] - right[name]) for name in left) if left.keys() == right.keys() else None


def _hub(folder: Path) -> Path:
    """The model and the text embeddings where the hub's client looks for them; returns the embeddings."""
    model_folder = _snapshot(folder / "models--imageomics--bioclip")
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-16")
    with torch.no_grad():
        model.logit_scale.fill_(float(np.log(100)))
    torch.save(model.state_dict(), model_folder / "open_clip_pytorch_model.bin")
    config = {"model_cfg": open_clip.get_model_config("ViT-B-16"), "preprocess_cfg": {}}
    (model_folder / "open_clip_config.json").write_text(json.dumps(config))
    embeddings = _snapshot(folder / "datasets--imageomics--TreeOfLife-10M") / "embeddings"
    embeddings.mkdir()
    return _texts(embeddings / "txt_emb_species.npy", model)


def _snapshot(place: Path) -> Path:
    snapshot = place / "snapshots" / _REVISION
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(_REVISION)
    return snapshot


def _texts(file: Path, model: Any) -> Path:
    """Embeddings near those of the photos, so that the scores spread; some taxa lack a class or an order."""
    rng = np.random.default_rng(0)
    with torch.no_grad():
        middle = model.encode_image(torch.zeros(1, 3, 224, 224))[0].numpy()
    columns = middle[:, None] / np.linalg.norm(middle) + 0.05 * rng.normal(size=(len(middle), _TAXA))
    np.save(file, (columns / np.linalg.norm(columns, axis=0)).astype(np.float32))
    names = [
        [
            [
                *(_WIDER[0], _WIDER[1], _WIDER[2] if at % 7 else "", f"Order{at % 5}" if at % 3 else ""),
                *(f"Family{at % 20}", f"Genus{at % 80}", f"epithet{at}"),
            ],
            f"common {at}" if at % 2 else "",
        ]
        for at in range(_TAXA)
    ]
    file.with_suffix(".json").write_text(json.dumps(names))
    return file


def _photos(folder: Path, count: int) -> tuple[list[str], list[str]]:
    folder.mkdir()
    squares, oblongs = [], []
    for number in range(count):
        picture = paint(SPECIES[number * 9 % len(SPECIES)], number, scale=1.5).picture.convert("RGB")
        squares.append(f"{folder.name}/{number}.png")
        picture.resize((224, 224)).save(folder / f"{number}.png")
        oblongs.append(f"{folder.name}/{number}.jpg")
        picture.resize((1200, 800 + 50 * number)).save(folder / f"{number}.jpg", quality=90)
    return squares, oblongs


if __name__ == "__main__":
    main()
