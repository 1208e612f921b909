"""How fast and how right is the nearest-photo search, beside other ways to do it?

    python benchmarks/search.py --rows 10000 --rows 100000 --rows 1000000 [--pq] [--others faiss,usearch]

For each size a catalogue is written with embeddings that lie as those of BioCLIP 2 do (see collection.py), and
asked for the ten nearest to 60 queries: photos, mixtures of two photos, and vectors as far from all photos as
texts are, after 12 others that touch the files first. Printed, one JSON object a line: p50 and p95 in milliseconds
and recall@10 against numpy in RAM, for the catalogue as a search uses it, without a filter and within taxa of each
rank; LanceDB's exact scan; LanceDB's default index (IVF_PQ; building it at a million rows takes many minutes) and
its IVF_SQ; numpy, faiss flat and usearch HNSW in RAM where they are installed. Last, the phases of a cold
`bioclip-search search --like`.
"""

import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from collection import DIM, Collection

from bioclip_search.catalogue import Catalogue
from bioclip_search.filters import Filter
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.schema import photo_id, photo_schema
from bioclip_search.taxonomy import RANKS

Vectors = npt.NDArray[np.float32]

_AT_ONCE = 20_000
_QUERIES = 60
_WARM = 12
# As many are asked of what takes seconds.
_SLOW = 12
_WANTED = 10

_COLD = """
import json, sys, time
began = time.perf_counter(); marks = {}
def mark(name):
    global began
    now = time.perf_counter(); marks[name] = round(now - began, 3); began = now
import bioclip_search.cli.search; mark("import the command line")
import lancedb; mark("import lancedb")
from pathlib import Path
from bioclip_search.catalogue import Catalogue
from bioclip_search.query import LikePart, Query, Searcher; mark("import the query layer")
catalogue = Catalogue.open(Path(sys.argv[1])); mark("open the catalogue")
hits = Searcher(catalogue, lambda: None).search(Query((LikePart(sys.argv[2]),))); mark("search")
marks["torch imported"] = "torch" in sys.modules
print(json.dumps(marks))
"""


@click.command()
@click.option("--rows", "sizes", multiple=True, type=int, default=(10_000, 100_000), help="Sizes of the catalogue.")
@click.option("--pq", is_flag=True, help="Also LanceDB's default index.")
@click.option("--sq", is_flag=True, help="Also LanceDB's IVF_SQ.")
@click.option("--others", default="faiss,usearch", help="Libraries to compare with, if installed.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to keep the catalogues.  [default: temporary]")
def main(sizes: tuple[int, ...], pq: bool, sq: bool, others: str, folder: Path | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        for rows in sizes:
            _measure(rows, (folder or Path(temporary)) / f"catalogue-{rows}", others.split(","), pq=pq, sq=sq)


def _measure(rows: int, place: Path, others: list[str], *, pq: bool, sq: bool) -> None:
    collection = Collection.draw(rows)
    vectors = collection.vectors().all()
    catalogue = Catalogue.open(place) if Catalogue.exists(place) else _write(place, collection, vectors)
    asked = _queries(vectors, _WARM + _QUERIES)
    warm, queries = asked[:_WARM], asked[_WARM:]
    truth = _best_among(queries, vectors, np.arange(rows))
    # The names of a million photos are this script's: a search would not look through them for garbage.
    gc.freeze()

    def tell(
        name: str,
        ask: Callable[[Vectors], list[int]],
        right: npt.NDArray[np.int64] = truth,
        count: int = _QUERIES,
        **more: Any,
    ) -> None:
        figures = _timed(ask, warm[: max(1, _WARM * count // _QUERIES)], queries[:count], right[:count])
        sys.stdout.write(json.dumps({"rows": rows, "way": name, **figures, **more}) + "\n")
        sys.stdout.flush()

    tell("bioclip-search", _ours(catalogue, Filter()), index=str(catalogue.index_report().state))
    for rank, name, members in _filters(collection):
        right = _best_among(queries, vectors, members)
        found = Filter(taxa=(((rank, name),),))
        tell(f"bioclip-search, one {rank}", _ours(catalogue, found), right, photos=len(members))
    tell("LanceDB exact", _lance(catalogue._photos, exact=True), count=_SLOW)
    tell("numpy in RAM", lambda query: np.argpartition(-(vectors @ query), _WANTED)[:_WANTED].tolist())
    for name, made in _others(vectors, others):
        tell(name, *made)
    for name in [*(["IVF_SQ"] if sq else []), *(["IVF_PQ"] if pq else [])]:
        began = time.perf_counter()
        _index(catalogue._photos, name)
        built = round(time.perf_counter() - began, 1)
        tell(f"LanceDB {name} by default", _lance(catalogue._photos), build_seconds=built)
        one = Filter(taxa=(((RANKS[-2].value, collection.names("genus")[0]),),)).sql
        members = np.flatnonzero(np.array(collection.names("genus")) == collection.names("genus")[0])
        right = _best_among(queries, vectors, members)
        tell(f"LanceDB {name} by default, one genus", _lance(catalogue._photos, where=one), right, photos=len(members))
        catalogue._photos.drop_index("embedding_idx")
    cold = subprocess.run([sys.executable, "-c", _COLD, str(place), "BENCH00000007"], capture_output=True, check=True)
    sys.stdout.write(json.dumps({"rows": rows, "way": "cold start", **json.loads(cold.stdout)}) + "\n")


def _queries(vectors: Vectors, count: int) -> Vectors:
    """A third photos, a third mixtures, a third like texts: most of a text's vector is shared by all texts."""
    rng = np.random.default_rng(8)
    chosen = vectors[rng.integers(0, len(vectors), (count, 2))]
    noise = rng.standard_normal((count, DIM)).astype(np.float32) / np.sqrt(DIM)
    mean = vectors.mean(axis=0)
    texts = 0.3 * (chosen[:, 0] - mean) + 0.2 * mean + 0.6 * noise[0] + 0.6 * noise
    photos = chosen[:, 0] + 0.2 * noise
    mixed = chosen.sum(axis=1)
    kinds = np.arange(count) % 3
    queries = np.where(kinds[:, None] == 0, photos, np.where(kinds[:, None] == 1, mixed, texts)).astype(np.float32)
    unit: Vectors = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return unit


def _filters(collection: Collection) -> Iterator[tuple[str, str, npt.NDArray[np.int64]]]:
    """Of each rank a taxon with many photos and one with few."""
    for rank in (rank.value for rank in RANKS):
        groups = collection.groups(rank)
        unique, counts = np.unique(groups, return_counts=True)
        enough = unique[counts >= _WANTED]
        for group in dict.fromkeys([int(unique[counts.argmax()]), int(enough[counts[counts >= _WANTED].argmin()])]):
            members = np.flatnonzero(groups == group)
            yield rank, collection.name(rank, group), members


def _best_among(queries: Vectors, vectors: Vectors, members: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    best = [np.argpartition(-(vectors @ query)[members], _WANTED - 1)[:_WANTED] for query in queries]
    return members[np.stack(best)]


def _timed(
    ask: Callable[[Vectors], list[int]], warm: Vectors, queries: Vectors, truth: npt.NDArray[np.int64]
) -> dict[str, float]:
    for query in warm:
        ask(query)
    times, found = [], 0
    for query, right in zip(queries, truth, strict=True):
        began = time.perf_counter()
        got = ask(query)
        times.append(1_000 * (time.perf_counter() - began))
        found += len(set(got) & set(right.tolist()))
    p50, p95 = np.percentile(times, [50, 95]).round(2).tolist()
    return {"p50_ms": p50, "p95_ms": p95, "recall": round(found / truth.size, 4)}


def _ours(catalogue: Catalogue, filter_: Filter) -> Callable[[Vectors], list[int]]:
    return lambda query: [_number(near.row["path"]) for near in catalogue.nearest(query, _WANTED, filter_)]


def _lance(table: Any, *, exact: bool = False, where: str | None = None) -> Callable[[Vectors], list[int]]:
    def ask(query: Vectors) -> list[int]:
        search = table.search(query).distance_type("cosine").select(["path", "_distance"]).limit(_WANTED)
        search = search.bypass_vector_index() if exact else search
        search = search.where(where, prefilter=True) if where else search
        return [_number(path) for path in search.to_arrow()["path"].to_pylist()]

    return ask


def _index(table: Any, name: str) -> None:
    from lancedb.index import IvfPq, IvfSq

    table.create_index("embedding", config=(IvfPq if name == "IVF_PQ" else IvfSq)(distance_type="cosine"))


def _others(vectors: Vectors, names: list[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if "faiss" in names:
        try:
            import faiss
        except ImportError:
            sys.stderr.write("faiss is not installed\n")
        else:
            flat = faiss.IndexFlatIP(DIM)
            flat.add(vectors)
            yield "faiss flat in RAM", (lambda query: flat.search(query[None], _WANTED)[1][0].tolist(),)
            del flat
    if "usearch" in names:
        try:
            from usearch.index import Index
        except ImportError:
            sys.stderr.write("usearch is not installed\n")
        else:
            graph = Index(ndim=DIM, metric="cos", dtype="f16")
            graph.add(np.arange(len(vectors)), vectors)
            yield "usearch HNSW in RAM", (lambda query: graph.search(query, _WANTED).keys.tolist(),)


def _number(path: str) -> int:
    return int(Path(path).stem)


def _write(place: Path, collection: Collection, vectors: Vectors) -> Catalogue:
    """A catalogue of the collection; thumbnails are a kilobyte each, and no photo is there."""
    catalogue = Catalogue.create(place, Fingerprint("benchmark", "none", DIM, "squash-224-bicubic", "0" * 64))
    names = {rank.value: collection.names(rank.value) for rank in RANKS}
    for start in range(0, len(vectors), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(vectors))
        catalogue._photos.add(_rows(names, vectors, start, stop))
    catalogue.optimize()
    return catalogue


def _rows(names: dict[str, list[str]], vectors: Vectors, start: int, stop: int) -> Any:
    import pyarrow as pa

    schema = photo_schema(DIM)
    count = stop - start
    paths = [f"drawer{number // 500:05d}/{number:08d}.jpg" for number in range(start, stop)]
    flat = pa.array(vectors[start:stop].astype(np.float16).reshape(-1))
    columns: dict[str, Any] = {
        "photo_id": [photo_id("/archive", path) for path in paths],
        "root": ["/archive"] * count,
        "path": paths,
        "size": list(range(start, stop)),
        "mtime": [datetime.now(UTC)] * count,
        "indexed_at": [datetime.now(UTC)] * count,
        "content_hash": [f"{number:064x}" for number in range(start, stop)],
        "width": [4_000] * count,
        "height": [3_000] * count,
        "catalogNumber": [f"BENCH{number:08d}" for number in range(start, stop)],
        "scientificName": names["species"][start:stop],
        "thumbnail": [bytes(1_000)] * count,
        **{rank: values[start:stop] for rank, values in names.items()},
    }
    arrays = [
        pa.FixedSizeListArray.from_arrays(flat, DIM)
        if field.name == "embedding"
        else pa.array(columns.get(field.name, [None] * count), field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


if __name__ == "__main__":
    main()
