"""bioclip-search train check"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.options import format_option
from bioclip_search.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from training.shards import Manifest

__all__ = ["command", "split_lines", "splits_as_json"]


@click.command("check")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--deep", is_flag=True, help="Read every byte and compare its SHA-256 with the manifest's.")
@format_option("text", "json")
def command(folder: Path, deep: bool, format_: str) -> None:
    """Check the shards in FOLDER against their manifest; fail with the first that is missing or damaged."""
    from bioclip_search.paths import absolute
    from training.shards import check_shards

    manifest = check_shards(absolute(folder), deep=deep)
    if format_ == "json":
        print_json({"source": manifest.source, "seed": manifest.seed, "splits": splits_as_json(manifest)})
    else:
        print_lines([*split_lines(manifest), "Every shard is there and as the manifest says."])


def splits_as_json(manifest: "Manifest") -> dict[str, Any]:
    """Samples, shards (their number), bytes and taxa of every split."""
    return {
        name: {
            **asdict(split),
            "shards": len(split.shards),
            "bytes": sum(shard.bytes for shard in split.shards),
        }
        for name, split in manifest.splits.items()
    }


def split_lines(manifest: "Manifest") -> list[str]:
    """A line a split: “train   940 photos of 63 taxa in 1 shard, 15.2 MB”."""
    lines = []
    for name, split in manifest.splits.items():
        megabytes = sum(shard.bytes for shard in split.shards) / 1e6
        shards = "1 shard" if len(split.shards) == 1 else f"{len(split.shards):,} shards"
        lines.append(f"{name:<7} {split.samples:,} photos of {split.taxa:,} taxa in {shards}, {megabytes:,.1f} MB")
    return lines
