"""Specimen records from outside: CSV and TSV tables, Darwin Core Archives, GBIF downloads."""

from bioclip_search.records.read import Record, Records, read_records

__all__ = ["Record", "Records", "read_records"]
