"""Darwin Core Archives: whole ones are read, malformed and hostile ones are one sentence each."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from bioclip_search.errors import RecordError
from bioclip_search.records import read_records
from bioclip_search.records import unpack as unpacking

META = """<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">
<core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" ignoreHeaderLines="1"
 rowType="http://rs.tdwg.org/dwc/terms/{core}"><files><location>occurrence.txt</location></files><id index="0"/>
 <field index="1" term="http://rs.tdwg.org/dwc/terms/catalogNumber"/>
 <field index="{index}" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
 <field term="http://rs.tdwg.org/dwc/terms/country" default="Panama"/></core>
<extension encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\\n" fieldsEnclosedBy='"' ignoreHeaderLines="1"
 rowType="{media}"><files><location>media.csv</location></files><coreid index="0"/>
 <field index="1" term="{term}"/></extension></archive>"""
OCCURRENCES = 'id\tnumber\tname\na\t1\tDanaus plexippus\nb\t2\tVanessa "atalanta\nc\t3\tMünsteria sp.\n'
MEDIA = 'id,file\na,birds/1.jpg\na,"birds/1, back.jpg"\nb,https://x.example/2.jpg\n'
GBIF = ("http://rs.gbif.org/terms/1.0/Multimedia", "http://purl.org/dc/terms/identifier")
AUDIOVISUAL = ("http://rs.tdwg.org/ac/terms/Multimedia", "http://rs.tdwg.org/ac/terms/accessURI")


def files(media: tuple[str, str] = GBIF, core: str = "Occurrence", index: int = 2) -> dict[str, bytes]:
    meta = META.format(core=core, index=index, media=media[0], term=media[1])
    return {"meta.xml": meta.encode(), "occurrence.txt": OCCURRENCES.encode(), "media.csv": MEDIA.encode()}


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def unpacked(path: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@pytest.mark.parametrize("media", [GBIF, AUDIOVISUAL])
@pytest.mark.parametrize("pack", [zipped, tarred, unpacked])
def test_an_archive_gives_records_with_their_files(pack, media: tuple[str, str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Core, defaults and media extension come together, packed or not, inside a folder of its own or not."""
    expected = [
        {
            "catalogNumber": "1",
            "scientificName": "Danaus plexippus",
            "multimedia": "birds/1.jpg | birds/1, back.jpg",
        },
        {"catalogNumber": "2", "scientificName": 'Vanessa "atalanta', "multimedia": "https://x.example/2.jpg"},
        {"catalogNumber": "3", "scientificName": "Münsteria sp."},
    ]
    members = files(media)
    for number, inside in enumerate((members, {f"download/{name}": data for name, data in members.items()})):
        records = read_records(pack(tmp_path / f"archive{number}.zip", inside))
        assert records == [{**record, "country": "Panama"} for record in expected]


def test_what_a_meta_xml_leaves_out_is_as_the_text_guide_says(tmp_path: Path) -> None:
    """UTF-8, commas, double quotes, no header line; a core without extensions needs no id."""
    members = {
        "meta.xml": b"""<archive xmlns="http://rs.tdwg.org/dwc/text/"><core
 rowType="http://rs.tdwg.org/dwc/terms/Occurrence"><files><location>o.csv</location></files>
 <field index="0" term="http://rs.tdwg.org/dwc/terms/catalogNumber"/>
 <field index="1" term="http://rs.tdwg.org/dwc/terms/locality"/></core></archive>""",
        "o.csv": '1,"Müritz, south"\n2,Malchow\n'.encode(),
    }
    expected = [{"catalogNumber": "1", "locality": "Müritz, south"}, {"catalogNumber": "2", "locality": "Malchow"}]
    assert read_records(zipped(tmp_path / "a.zip", members)) == expected
    bare = files()["meta.xml"].replace(b' encoding="UTF-8"', b"")
    assert len(read_records(zipped(tmp_path / "b.zip", {**files(), "meta.xml": bare}))) == 3


def test_a_zip_of_one_table_needs_no_meta_xml(tmp_path: Path) -> None:
    """GBIF's simple download; with several tables nobody can know which one is meant."""
    table = b"gbifID\tcatalogNumber\n1\tA 7\n"
    assert read_records(zipped(tmp_path / "simple.zip", {"0001.csv": table})) == [
        {"gbifID": "1", "catalogNumber": "A 7"}
    ]
    with pytest.raises(RecordError, match=r"no meta.xml"):
        read_records(zipped(tmp_path / "two.zip", {"a.csv": table, "b.csv": table}))


def test_columns_may_be_given_other_terms(tmp_path: Path) -> None:
    """A column that had the name keeps its values under another; one that is not there is an error."""
    (tmp_path / "t.csv").write_text("Barcode,Det,scientificName\nB1,Danaus plexippus,DANAUS\n")
    mapping = {"catalogNumber": "barcode", "scientificName": "Det"}
    assert read_records(tmp_path / "t.csv", mapping) == [
        {"catalogNumber": "B1", "scientificName": "Danaus plexippus", "verbatim scientificName": "DANAUS"}
    ]
    with pytest.raises(RecordError, match="no column Fundort"):
        read_records(tmp_path / "t.csv", {"locality": "Fundort"})


BROKEN = {
    "a missing table": {name: data for name, data in files().items() if name != "occurrence.txt"},
    "a column that is not there": files(index=9),
    "another core": files(core="Taxon"),
    "a meta.xml that is none": {**files(), "meta.xml": b"<archive><core>"},
    "a meta.xml without core": {**files(), "meta.xml": b"<archive/>"},
    "entities": {**files(), "meta.xml": b'<!DOCTYPE a [<!ENTITY x "y">]><archive>&x;</archive>'},
    "another encoding": {**files(), "occurrence.txt": OCCURRENCES.encode("latin-1")},
    "an unknown encoding": {**files(), "meta.xml": files()["meta.xml"].replace(b"UTF-8", b"UTF-99")},
    "a table elsewhere": {**files(), "meta.xml": files()["meta.xml"].replace(b"occurrence.txt", b"../../etc/passwd")},
    "a way out": {**files(), "../outside.txt": b"x"},
    "an absolute way out": {**files(), "/outside.txt": b"x"},
    "a Windows way out": {**files(), "..\\outside.txt": b"x"},
    "nothing": {},
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_malformed_archive_is_one_sentence_and_writes_nothing(pack, case: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Whatever is wrong with it; nothing is written beside or above."""
    archive = pack(tmp_path / "archive.zip", BROKEN[case])
    with pytest.raises(RecordError) as raised:
        read_records(archive)
    assert len(str(raised.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["archive.zip"]


def test_a_bomb_is_refused_by_what_it_unpacks_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes that an archive claims are not believed."""
    monkeypatch.setattr(unpacking, "MAX_BYTES", 1_000_000)
    with pytest.raises(RecordError, match="unpacks to more"):
        read_records(zipped(tmp_path / "bomb.zip", {**files(), "zeros.txt": bytes(2_000_000)}))
    monkeypatch.setattr(unpacking, "MAX_FILES", 10)
    with pytest.raises(RecordError, match="more than 10 files"):
        read_records(zipped(tmp_path / "many.zip", {**files(), **{f"{n}.txt": b"x" for n in range(20)}}))


def test_a_truncated_archive_is_one_sentence(tmp_path: Path) -> None:
    """A download that broke off."""
    for pack in (zipped, tarred):
        whole = pack(tmp_path / "whole.zip", files()).read_bytes()
        (tmp_path / "cut.zip").write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(RecordError):
            read_records(tmp_path / "cut.zip")
