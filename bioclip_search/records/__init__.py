"""Specimen records from outside: CSV and TSV tables, Darwin Core Archives, GBIF downloads."""

from bioclip_search.records.read import Record, Records, read_records
from bioclip_search.records.stream import TableStream, stream_table

__all__ = ["Record", "Records", "TableStream", "read_records", "stream_table"]
