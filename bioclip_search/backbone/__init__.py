"""An optional taxonomic backbone, offline: the index of a taxonomy that the user supplies.

It tells which accepted taxon a name on a label belongs to, with all its ranks: `build_backbone` reads a
Darwin Core Archive, a ColDP, a CSV, TSV or Parquet file (GBIF, Catalogue of Life, iNaturalist, one's own
list) into one SQLite file, which `Backbone` asks.
"""

from bioclip_search.backbone.build import build_backbone
from bioclip_search.backbone.info import BackboneInfo
from bioclip_search.backbone.lookup import Backbone, BackboneMatch, MatchType

__all__ = ["Backbone", "BackboneInfo", "BackboneMatch", "MatchType", "build_backbone"]
