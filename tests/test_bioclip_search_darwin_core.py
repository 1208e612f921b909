"""Records: CSV files as museums export them, read into specimens."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioclip_search.darwin_core import specimen_of
from bioclip_search.errors import RecordError
from bioclip_search.records import read_records
from bioclip_search.terms import canonical_term


@pytest.mark.parametrize(
    "column", ["catalogNumber", "CATALOGNUMBER", "dwc:catalogNumber", "http://rs.tdwg.org/dwc/terms/catalogNumber"]
)
def test_a_term_is_known_in_every_spelling(column: str) -> None:
    """Case, prefix and full address of a term do not matter."""
    assert canonical_term(column) == "catalogNumber"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """Spreadsheets export CSV in many ways; all of them give the same records."""
    lines = [delimiter.join(["catalogNumber", "locality"]), delimiter.join(["A 1", "Müritz"])]
    (tmp_path / "records.csv").write_text("\n".join(lines), encoding=encoding)
    assert read_records(tmp_path / "records.csv") == [{"catalogNumber": "A 1", "locality": "Müritz"}]


def test_a_file_that_cannot_join_anything_is_refused(tmp_path: Path) -> None:
    """Without a joining column the sentence names the columns that would do."""
    (tmp_path / "records.csv").write_text("colour,size\nred,1\n")
    with pytest.raises(RecordError, match="associatedMedia, catalogNumber"):
        read_records(tmp_path / "records.csv")
    with pytest.raises(RecordError, match="There is no file"):
        read_records(tmp_path / "nowhere.csv")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """A file of rubbish ends in records or in a RecordError, nothing else."""
    path = tmp_path_factory.mktemp("records") / "records.csv"
    path.write_bytes(b"catalogNumber,genus\n" + data)
    try:
        records = read_records(path)
    except RecordError:
        return
    assert all(value for record in records for value in record.values())


@pytest.mark.parametrize(
    ("name", "genus", "species"),
    [
        ("Danaus plexippus (Linnaeus, 1758)", "Danaus", "Danaus plexippus"),
        ("Carabus sp.", "Carabus", None),
        ("Carabus cf. auratus", "Carabus", None),
        ("Coleoptera", None, None),
        ("indet.", None, None),
        ("BOLD:AAA1234", None, None),
    ],
)
def test_only_a_plain_binomial_gives_a_species(name: str, genus: str | None, species: str | None) -> None:
    """No species is made up from a qualified, informal or higher name."""
    taxon = specimen_of({"scientificName": name}).taxon
    assert (taxon.genus, taxon.species) == (genus, species)


def test_the_name_is_kept_as_written_and_columns_win_over_it() -> None:
    """scientificName stays verbatim; genus and epithet columns decide about the taxon."""
    specimen = specimen_of({"scientificName": "Pica pica L.", "genus": "Pica", "specificEpithet": "pica"})
    assert specimen.scientific_name == "Pica pica L."
    assert specimen.taxon.species == "Pica pica"
    family_only = specimen_of({"scientificName": "Corvidae Leach", "family": "Corvidae", "taxonRank": "family"})
    assert (family_only.taxon.family, family_only.taxon.genus) == ("Corvidae", None)


def test_a_quote_inside_an_unquoted_table_swallows_nothing(tmp_path: Path) -> None:
    """Downloads of GBIF are tab-separated without quoting; a label may begin with an inch sign."""
    table = tmp_path / "occurrence.txt"
    table.write_text('catalogNumber\tlocality\tgenus\n1\t"Creek\tA\n2\tplain\tB\n3\t5" pipe\tC\n', encoding="utf-8")
    assert [record["genus"] for record in read_records(table)] == ["A", "B", "C"]
    table.write_text('catalogNumber\tlocality\n1\t"two\nlines"\n2\tx\n', encoding="utf-8")
    assert [record["locality"] for record in read_records(table)] == ["two lines", "x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_table_is_read_in_the_encoding_it_has(encoding: str, tmp_path: Path) -> None:
    """Byte order marks are believed; without one it is UTF-8 or what Windows writes."""
    table = tmp_path / "table.csv"
    table.write_bytes("\r\ncatalogNumber,locality\r\n1,Münster\r\n".encode(encoding))
    assert read_records(table) == [{"catalogNumber": "1", "locality": "Münster"}]


def test_a_long_field_and_a_broken_quote_are_told_apart(tmp_path: Path) -> None:
    """Remarks of any length are read; a quote that is never closed is an error, not a lost table."""
    table = tmp_path / "table.csv"
    table.write_text(f"catalogNumber,remarks\n1,{'x' * 200_000}\n", encoding="utf-8")
    assert len(read_records(table)[0]["remarks"]) == 200_000
    for bad in (b'catalogNumber,genus\n1,"Danaus\n2,Vanessa\n', b"PK\x03\x04\0\0\0\0", b""):
        table.write_bytes(bad)
        with pytest.raises(RecordError):
            read_records(table)


@pytest.mark.parametrize(
    ("name", "genus", "species"),
    [
        ("Carabus sp.", "Carabus", None),
        ("Carabus spec.", "Carabus", None),
        ("Carabus species", "Carabus", None),
        ("Coleoptera indet.", None, None),
        ("Coleoptera sp.", None, None),
        ("Corvidae de Selys", None, None),
        ("Carabus cf. violaceus", "Carabus", None),
        ("Carabus violaceus Linnaeus, 1758", "Carabus", "Carabus violaceus"),
    ],
)
def test_no_species_and_no_genus_is_made_up(name: str, genus: str | None, species: str | None) -> None:
    """Open nomenclature and authors are no epithets; a name above the genus is no genus."""
    taxon = specimen_of({"scientificName": name}).taxon
    assert (taxon.genus, taxon.species) == (genus, species)
    assert specimen_of({"scientificName": "Danaini indet.", "taxonRank": "tribe"}).taxon.genus is None


def test_a_record_keeps_all_it_says(tmp_path: Path) -> None:
    """Terms without a column of their own, and columns that are no terms, survive; so do odd numbers."""
    record = {"catalogNumber": "1", "habitat": "bog", "Shelf no.": "7", "year": "ca. 1900", "decimalLatitude": "12.50"}
    terms = specimen_of(record).terms
    assert dict(terms) == {**record, "decimalLatitude": "12.5"}


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1911", "1911"),
        ("1911-05", "1911"),
        ("1911-05-31", "1911"),
        ("19110531", "1911"),
        ("1911-151", "1911"),
        ("1963-03-08T14:07-0600", "1963"),
        ("2009-02-20T08:40Z", "2009"),
        ("1911-05-31 14:07:10.5", "1911"),
        ("1911-12-30/1912-01-02", "1911"),
        ("1911/1912", "1911"),
        ("2007-11-13/15", "2007"),
        ("31.5.1911", None),
        ("1911-31-05", None),
        ("1911-05-3x", None),
        ("0000-01-01", None),
        ("ca. 1911", None),
        ("1911-1912", None),
        ("19115", None),
    ],
)
def test_a_record_without_a_year_has_that_of_its_date(date: str, year: str | None) -> None:
    """Dates and intervals of ISO 8601; a year of its own stays, and what is no such date tells none."""
    assert specimen_of({"eventDate": date}).terms.get("year") == year
    assert specimen_of({"eventDate": date, "year": "1905"}).terms["year"] == "1905"
    assert specimen_of({"eventDate": date, "year": "ca. 1905"}).terms["year"] == "ca. 1905"


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;\r"])
def test_the_line_that_tells_a_spreadsheet_the_separator_is_no_header(first: str, tmp_path: Path) -> None:
    """Excel writes it before the columns, and believes it more than its own country."""
    (tmp_path / "t.csv").write_bytes(f"{first}\ncatalogNumber;a,b,c\n1;x\n".encode())
    assert read_records(tmp_path / "t.csv") == [{"catalogNumber": "1", "a,b,c": "x"}]


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_is_called_empty(content: bytes, tmp_path: Path) -> None:
    """Not a table without the right columns."""
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(RecordError, match="is empty"):
        read_records(tmp_path / "t.csv")


def test_an_archive_that_broke_off_and_one_that_is_none_are_named_so(tmp_path: Path) -> None:
    """A half download and a picture with the wrong name are no text files to be exported again."""
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    with pytest.raises(RecordError, match="is damaged; download or export it again"):
        read_records(tmp_path / "cut.zip")
    (tmp_path / "picture.zip").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    with pytest.raises(RecordError, match="is no archive, though it is called one"):
        read_records(tmp_path / "picture.zip")


def test_what_a_name_holds_is_separated_and_the_name_stays() -> None:
    """Authorship and qualifier go where Darwin Core has them, unless the record says them itself."""
    terms = specimen_of({"scientificName": "Pica pica Linnaeus, 1758"}).terms
    assert (terms["scientificName"], terms["scientificNameAuthorship"]) == (
        "Pica pica Linnaeus, 1758",
        "Linnaeus, 1758",
    )
    assert specimen_of({"scientificName": "Carabus cf. violaceus"}).terms["identificationQualifier"].startswith("cf")
    own = {"scientificName": "Pica pica L.", "scientificNameAuthorship": "Linnaeus"}
    assert specimen_of(own).terms["scientificNameAuthorship"] == "Linnaeus"
