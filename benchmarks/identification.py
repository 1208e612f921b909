"""How right, and how honest, is identification by neighbours and centroids?

    python benchmarks/identification.py --vectors VECTORS.parquet

The file has a column `emb` of embeddings and the seven ranks. Prints

- agreement of each photo with its nearest other one at every rank, over the photos that have the rank: by
  our blocks, by our catalogue (which keeps float16), and by plain numpy in this script;
- accuracy of the nearest centroid of the names of each rank (SimpleShot, leaving one out), ours and numpy's;
- for `identify` by neighbours and by centroids, leaving one out: accuracy of the best name at each rank, the
  temperature fitted on one half of the photos, and for the other half reliability, calibration error
  and abstention (share of photos answered, and share of the answers that are right, by confidence),
  before and after.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow.parquet as pq

from bioclip_search.catalogue import Catalogue
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.identification.block import Block
from bioclip_search.identification.calibration import error, fit, judged, reliability, scored
from bioclip_search.identification.centroids import Centroids
from bioclip_search.identification.identify import summed
from bioclip_search.identification.method import ByCentroids, ByNeighbours, Method
from bioclip_search.identification.neighbours import nearest
from bioclip_search.identification.ranks import RankTree
from bioclip_search.identification.reference import Reference
from bioclip_search.specimen import Photo, Specimen
from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.vectors import unit

_CONFIDENCES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_BLOCK = 256
_NOBODY = np.iinfo(np.int32).max


@click.command()
@click.option("--vectors", type=click.Path(path_type=Path, exists=True), required=True, help="Embeddings with ranks.")
@click.option("--neighbours", default=20, help="How many photos vote.")
def main(vectors: Path, neighbours: int) -> None:
    """Measure and print one JSON object."""
    table = pq.read_table(vectors)
    features = unit(np.stack(table["emb"].to_numpy()).astype(np.float32))
    names = {rank.value: np.array([name or "" for name in table[rank.value].to_pylist()]) for rank in RANKS}
    taxa = [
        Taxon.from_ranks({rank: str(of_rank[at]) for rank, of_rank in names.items()}) for at in range(len(features))
    ]
    plain = _numpy_nearest(features)
    ours = _blocks_nearest(features)
    with tempfile.TemporaryDirectory() as folder:
        catalogue = _catalogue(Path(folder) / "catalogue", features, taxa)
        stored, rounded = _catalogue_nearest(catalogue, len(features))
        figures: dict[str, Any] = {
            "photos": len(features),
            "nearest": {
                "blocks": _agreement(names, ours),
                "numpy": _agreement(names, plain),
                "equal": bool((ours == plain).all()),
            },
            "nearest_in_catalogue": {
                "catalogue": _agreement(names, stored),
                "numpy_float16": _agreement(names, _numpy_nearest(rounded)),
                "equal": bool((stored == _numpy_nearest(rounded)).all()),
            },
            "centroids": _centroids(features, names),
        }
        reference = Reference(catalogue)
        methods: list[Method] = [
            ByNeighbours(reference.taxa, reference.blocks, neighbours),
            ByCentroids(reference.taxa, reference.blocks),
        ]
        figures["identify"] = {method.name.value: _honesty(method, list(reference.blocks())) for method in methods}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _numpy_nearest(features: np.ndarray) -> np.ndarray:
    cosines = features @ features.T
    np.fill_diagonal(cosines, -np.inf)
    return cosines.argmax(axis=1)


def _blocks_nearest(features: np.ndarray) -> np.ndarray:
    whole = _block(features)
    found = nearest((whole.take(slice(at, at + _BLOCK)) for at in range(0, len(whole), _BLOCK)), whole, 1)
    return found.photos[:, 0].astype(int)


def _block(features: np.ndarray, classes: np.ndarray | None = None) -> Block:
    count = len(features)
    numbers = np.arange(count)
    return Block(
        features,
        numbers.astype(np.int32) if classes is None else classes.astype(np.int32),
        numbers.astype(np.uint64),
        np.zeros(count, dtype=np.uint64),
        numbers.astype(np.str_),
    )


def _catalogue(folder: Path, features: np.ndarray, taxa: list[Taxon]) -> Catalogue:
    fingerprint = Fingerprint("vectors", "vectors", features.shape[1], "squash-224", "0" * 64)
    catalogue = Catalogue.create(folder, fingerprint)
    now = datetime.now(UTC)
    photos = [
        Photo("/vectors", f"{at:06d}", 1, now, f"{at:016x}{'0' * 48}", 1, 1, now, Specimen(taxon))
        for at, taxon in enumerate(taxa)
    ]
    catalogue.upsert(photos, features, [b""] * len(photos))
    return catalogue


def _catalogue_nearest(catalogue: Catalogue, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Whom each photo is nearest to in the catalogue, and the embeddings as it keeps them, by number of the photo.

    Photos without any rank are nobody's neighbours there; for comparison with numpy they are read as well.
    """
    from bioclip_search.identification.subjects import from_catalogue

    blocks = [subjects.block for subjects in from_catalogue(catalogue, "true", 100_000)]
    keys = {photo.content_hash: int(photo.path) for photo in catalogue.photos()}
    number = {int(digest[:16], 16): at for digest, at in keys.items()}
    stored = np.full(count, -1)
    rounded = np.zeros((count, blocks[0].vectors.shape[1]), dtype=np.float32)
    place = {
        str(photo): number[int(content)] for b in blocks for photo, content in zip(b.photos, b.contents, strict=True)
    }
    for block in blocks:
        found = nearest(blocks, block, 1)
        rows = [number[int(content)] for content in block.contents]
        rounded[rows] = block.vectors
        stored[rows] = [place[str(photo)] for photo in found.photos[:, 0]]
    return stored, rounded


def _agreement(names: dict[str, np.ndarray], neighbour: np.ndarray) -> dict[str, float]:
    return {
        rank: round(float((of_rank[neighbour] == of_rank)[of_rank != ""].mean()), 3) for rank, of_rank in names.items()
    }


def _centroids(features: np.ndarray, names: dict[str, np.ndarray]) -> dict[str, Any]:
    ours, plain, equal = {}, {}, True
    for rank, of_rank in names.items():
        told = np.flatnonzero(of_rank != "")
        _, classes = np.unique(of_rank[told], return_inverse=True)
        block = _block(features[told], classes)
        logits = Centroids(lambda block=block: [block], int(classes.max()) + 1).logits(block)
        mine, theirs = logits.argmax(axis=1), _numpy_centroids(features[told], classes)
        ours[rank], plain[rank] = (round(float((best == classes).mean()), 3) for best in (mine, theirs))
        equal &= bool((mine == theirs).all())
    return {"ours": ours, "numpy": plain, "equal": equal}


def _numpy_centroids(features: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The nearest centroid of each photo, one photo at a time."""
    normalised = unit(features - features.mean(axis=0))
    best = []
    for at, query in enumerate(normalised):
        sums = np.zeros((classes.max() + 1, features.shape[1]), dtype=np.float32)
        others = np.arange(len(classes)) != at
        np.add.at(sums, classes[others], normalised[others])
        counts = np.bincount(classes[others], minlength=len(sums))
        distances = np.linalg.norm(sums / np.maximum(counts, 1)[:, None] - query, axis=1)
        best.append(int(np.where(counts > 0, distances, np.inf).argmin()))
    return np.asarray(best)


def _honesty(method: Method, blocks: list[Block]) -> dict[str, Any]:
    tree = RankTree(method.taxa)
    halves = [[block.take(slice(half, None, 2)) for block in blocks] for half in range(2)]
    fitting, testing = (scored(method, half) for half in halves)
    temperature = fit(lambda value: judged(tree, fitting, value).loss)
    figures: dict[str, Any] = {"temperature": round(temperature, 4)}
    for name, value in (("before", 1.0), ("after", temperature)):
        found = judged(tree, testing, value)
        figures[name] = {
            "accuracy": {
                rank.value: round(float(found.right[:, at][found.told[:, at]].mean()), 3)
                for at, rank in enumerate(RANKS)
            },
            "loss": round(found.loss, 4),
            "calibration_error": round(error(found), 4),
            "reliability": [
                {key: round(number, 3) for key, number in asdict(part).items()} for part in reliability(found)
            ],
            "abstention": [_abstention(tree, testing, value, confidence) for confidence in _CONFIDENCES],
        }
    return figures


def _abstention(tree: RankTree, found: list[Any], temperature: float, confidence: float) -> dict[str, Any]:
    """Coverage and accuracy; an answer at a rank that the photo's own determination leaves out cannot be judged."""
    photos = answered = judgeable = right = 0
    ranks: dict[str, int] = {}
    for block, scores in found:
        for rows, sums in summed(tree, scores, len(block), temperature):
            for at, own in enumerate(block.classes[rows]):
                photos += 1
                answer = tree.answer(sums, at, confidence)
                if answer is None or answer.rank is None:
                    continue
                answered += 1
                ranks[answer.rank.value] = ranks.get(answer.rank.value, 0) + 1
                truth = tree.taxa[int(own)].name_at(answer.rank)
                judgeable += truth is not None
                right += truth == answer.name
    return {
        "confidence": confidence,
        "coverage": round(answered / photos, 3),
        "accuracy": round(right / judgeable, 3) if judgeable else None,
        "ranks": {rank.value: ranks[rank.value] for rank in RANKS if rank.value in ranks},
    }


if __name__ == "__main__":
    main()
