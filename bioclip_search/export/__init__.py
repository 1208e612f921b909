"""Photos with their specimens, written out of a catalogue: CSV, Parquet, JSON Lines, Darwin Core Archive."""

from bioclip_search.export.run import FORMATS, STANDARD_OUTPUT, Choice, Exported, ExportOptions, export_photos

__all__ = ["FORMATS", "STANDARD_OUTPUT", "Choice", "ExportOptions", "Exported", "export_photos"]
