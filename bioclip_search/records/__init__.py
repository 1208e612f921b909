"""Specimen records from outside: CSV and TSV tables, Darwin Core Archives, GBIF downloads."""

from bioclip_search.records.read import Record, read_records

__all__ = ["Record", "read_records"]
