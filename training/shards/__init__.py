"""Photos and their taxa packed into WebDataset tars, with a manifest that a trainer can check before it begins."""

from training.shards.manifest import Manifest, Shard, Split, read_manifest
from training.shards.preflight import check_shards

__all__ = ["Manifest", "Shard", "Split", "check_shards", "read_manifest"]
