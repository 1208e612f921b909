"""Read records from whatever a collection system exports: a table, an archive, a folder."""

import os
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from bioclip_search.errors import RecordError
from bioclip_search.records.archive import read_archive
from bioclip_search.records.table import Record, Records, read_table
from bioclip_search.records.unpack import unpack
from bioclip_search.text import printable

__all__ = ["Record", "Records", "read_records"]

_ARCHIVE_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


def read_records(source: Path, columns: Mapping[str, str] | None = None) -> Records:
    """All records of a CSV or TSV file, or of a Darwin Core Archive (zip, tar, folder).

    `columns` gives Darwin Core terms the names of columns that are called otherwise:
    {"catalogNumber": "Barcode"}. The files of an archive's Simple Multimedia or Audiovisual Core are
    under MULTIMEDIA.

    Raises RecordError for a source that cannot be read, or that nothing joins to photos.
    """
    columns = columns or {}
    if os.path.isdir(source):
        return read_archive(source, columns)
    if not os.path.isfile(source):
        raise RecordError(f"There is no file {printable(str(source))} of records; check the spelling of its path.")
    try:
        packed = zipfile.is_zipfile(source) or tarfile.is_tarfile(source)
    except OSError as error:
        shown = printable(str(source))
        raise RecordError(f"The records {shown} cannot be read ({error.strerror}); check its permissions.") from error
    if not packed:
        _check_no_archive(source)
        return read_table(source, columns)
    with tempfile.TemporaryDirectory(prefix="bioclip-search-") as folder:
        unpack(source, Path(folder))
        return read_archive(Path(folder), columns, shown=printable(str(source)))


def _check_no_archive(source: Path) -> None:
    """Raise RecordError for an archive that broke off, and for what is only called one."""
    try:
        with source.open("rb") as stream:
            head = stream.read(4)
    except OSError:
        return  # read_table says why
    is_archive = head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"))
    if is_archive or source.name.lower().endswith(_ARCHIVE_ENDINGS):
        what = "is damaged" if is_archive else "is no archive, though it is called one"
        raise RecordError(f"{printable(str(source))} {what}; download or export it again.")
