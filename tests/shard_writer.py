"""A folder of small shards for the tests of the trainer: drawn photos, and taxa with gaps."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

TAXA = [
    {
        "kingdom": "Animalia",
        "order": "Lepidoptera",
        "family": f"Family{number % 3}idae",
        "genus": f"Genus{number}",
        "species": f"Genus{number} albus",
    }
    | ({"vernacularName": f"white {number}"} if number % 2 else {})
    for number in range(24)
]


def write_shards(
    folder: Path,
    sizes: Sequence[int] = (20, 16, 28),
    taxa: int = 24,
    side: int = 40,
    val: Sequence[int] = (),
    captions: bool = False,
    described: Mapping[int, bytes] | None = None,
    pictures: Mapping[int, bytes] | None = None,
) -> Path:
    """Shards with so many samples each, of the first `taxa` taxa in turn; every picture is another.

    With `captions` samples have captions of their own instead of names; `described` and `pictures` stand in for
    the JSON and the JPEG of some samples.
    """
    folder.mkdir(parents=True, exist_ok=True)
    splits, number = {}, 0
    for split, counts in (("train", sizes), ("val", val)):
        shards = []
        for shard, size in enumerate(counts):
            path = folder / f"{split}-{shard:06d}.tar"
            with tarfile.open(path, "w") as tar:
                for _ in range(size):
                    names = (
                        {"captions": [f"drawing {number}", f"patches {number}"]} if captions else TAXA[number % taxa]
                    )
                    document = names | {"key": f"{number:012d}", "specimen": str(number), "source": "drawn"}
                    picture = (pictures or {}).get(number) or _jpeg(number, number % taxa, side)
                    _add(tar, f"{number:012d}.jpg", picture)
                    _add(tar, f"{number:012d}.json", (described or {}).get(number) or json.dumps(document).encode())
                    _add(tar, f"{number:012d}.sci.txt", b"for another trainer")
                    number += 1
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            shards.append({"name": path.name, "samples": size, "bytes": len(content), "sha256": digest})
        if counts:
            splits[split] = {"samples": sum(counts), "shards": shards, "taxa": taxa}
    manifest = {"format": 1, "created": "2026-01-01T00:00:00Z", "seed": 0, "source": "drawn", "splits": splits}
    manifest["image"] = {"size": side, "fit": "squash"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _jpeg(number: int, taxon: int, side: int) -> bytes:
    patches = np.random.default_rng(taxon).integers(0, 256, (4, 4, 3))
    patches = patches + np.random.default_rng((7, number)).integers(-40, 40, (4, 4, 3))
    picture = Image.fromarray(patches.clip(0, 255).astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
