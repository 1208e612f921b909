"""The taxonomic backbone: every format that it reads, what it answers, and what it refuses."""

import io
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bioclip_search.backbone import Backbone, MatchType, build_backbone, container
from bioclip_search.backbone.names import parse_name
from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.taxonomy import command
from bioclip_search.errors import CatalogueNotFound, RecordError
from bioclip_search.fingerprint import Fingerprint

_TERMS = "http://rs.tdwg.org/dwc/terms/"
_TAXON_COLUMNS = (
    "taxonID parentNameUsageID acceptedNameUsageID scientificName scientificNameAuthorship taxonRank taxonomicStatus"
).split()
_COMMON_COLUMNS = ["taxonID", "vernacularName", "language", "isPreferredName"]

TAXA = [
    ("1", "", "", "Animalia", "", "kingdom", "accepted"),
    ("2", "1", "", "Arthropoda", "", "phylum", "accepted"),
    ("3", "2", "", "Nymphalidae Rafinesque, 1815", "Rafinesque, 1815", "family", "accepted"),
    ("4", "3", "", "Danaus Kluk, 1780", "Kluk, 1780", "genus", "accepted"),
    ("5", "4", "", "Danaus plexippus (Linnaeus, 1758)", "(Linnaeus, 1758)", "species", "accepted"),
    ("6", "", "5", "Papilio plexippus Linnaeus, 1758", "Linnaeus, 1758", "species", "synonym"),
    ("7", "5", "", "Danaus plexippus megalippe (Hübner, 1826)", "(Hübner, 1826)", "subspecies", "accepted"),
    ("8", "1", "", "Morus Vieillot, 1816", "Vieillot, 1816", "genus", "accepted"),
    ("9", "8", "", "Morus bassanus (Linnaeus, 1758)", "(Linnaeus, 1758)", "species", "accepted"),
    ("10", "", "", "Plantae", "", "kingdom", "accepted"),
    ("11", "10", "", "Moraceae Gaudich.", "Gaudich.", "family", "accepted"),
    ("12", "11", "", "Morus L.", "L.", "genus", "accepted"),
    ("13", "12", "", "Morus alba L.", "L.", "species", "accepted"),
    ("14", "10", "", "Mentha × piperita L.", "L.", "species", "accepted"),
    ("15", "4", "", "Danaus (Anosia) chrysippus (Linnaeus, 1758)", "(Linnaeus, 1758)", "species", "accepted"),
    ("16", "", "5", "Anosia plexippus", "", "species", "misapplied"),
    ("17", "4", "", "Danaus", "", "subgenus", "accepted"),
    ("18", "", "99", "Danaus orphanus", "", "species", "synonym"),
    ("19", "4", "", "Danaus sp. 1", "", "species", "accepted"),
]
COMMON = [
    ("5", "Monarchfalter", "de", ""),
    ("5", "wanderer", "en", ""),
    ("5", "monarch", "en", "true"),
    ("9", "gannet", "", ""),
    ("13", "mûrier blanc", "fr", ""),
]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str = "\t") -> str:
    return "".join(delimiter.join(row) + "\n" for row in [columns, *rows])


def meta(core: Sequence[str] = _TAXON_COLUMNS, *, row_type: str = "Taxon", prolog: str = "", extra: str = "") -> str:
    def fields(columns: Sequence[str]) -> str:
        return "".join(f'<field index="{at}" term="{_TERMS}{name}"/>' for at, name in enumerate(columns) if at)

    layout = (
        'encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" ignoreHeaderLines="1"'
    )
    return (
        f'{prolog}<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">'
        f'<core {layout} rowType="{_TERMS}{row_type}"><files><location>Taxon.tsv</location></files>'
        f'<id index="0"/>{fields(core)}{extra}</core>'
        f'<extension {layout} rowType="http://rs.gbif.org/terms/1.0/VernacularName">'
        f"<files><location>VernacularName.tsv</location></files>"
        f'<coreid index="0"/>{fields(_COMMON_COLUMNS)}</extension></archive>'
    )


EML = '<eml packageId="abc/v2.1"><dataset><title>A small taxonomy</title><pubDate>2025-01-02</pubDate></dataset></eml>'


def dwca(**changed: str) -> dict[str, str]:
    """The files of a Darwin Core Archive, by name (with “_” for “.”)."""
    files = {
        "meta.xml": meta(),
        "eml.xml": EML,
        "Taxon.tsv": table(_TAXON_COLUMNS, TAXA),
        "VernacularName.tsv": table(_COMMON_COLUMNS, COMMON),
    }
    return files | {name.replace("_", "."): text for name, text in changed.items()}


def coldp() -> dict[str, str]:
    def usage(row: Sequence[str]) -> list[str]:
        id_, parent, accepted, name, author, rank, status = row
        return [id_, accepted or parent, status, name.removesuffix(author).strip(), author, rank]

    columns = ["col:ID", "col:parentID", "col:status", "col:scientificName", "col:authorship", "col:rank"]
    common = ["col:taxonID", "col:name", "col:language", "col:preferred"]
    return {
        "metadata.yaml": 'key: x\ntitle: "A small taxonomy"\nversion: 2.1\ncontact:\n  title: nobody\n',
        "NameUsage.tsv": table(columns, [usage(row) for row in TAXA]),
        "VernacularName.tsv": table(common, COMMON),
    }


def coldp_in_three() -> dict[str, str]:
    usable = [row for row in TAXA if row[6] != "misapplied"]
    names = [["n" + row[0], row[3].removesuffix(row[4]).strip(), row[4], row[5]] for row in usable]
    taxa = [[row[0], row[1], "n" + row[0]] for row in usable if row[6] == "accepted"]
    synonyms = [["n" + row[0], row[2], "synonym"] for row in usable if row[6] == "synonym"]
    return {
        "metadata.yaml": "title: A small taxonomy\nissued: 2.1\n",
        "name.csv": table(["ID", "scientificName", "authorship", "rank"], _quoted(names), ","),
        "taxon.csv": table(["ID", "parentID", "nameID"], taxa, ","),
        "synonym.csv": table(["nameID", "taxonID", "status"], synonyms, ","),
        "vernacular-name.csv": table(["taxonID", "name", "language", "preferred"], COMMON, ","),
    }


def _quoted(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[f'"{cell}"' for cell in row] for row in rows]


def write(place: Path, files: Mapping[str, str | bytes], shape: str = "zip") -> Path:
    """The files as a folder, a zip, or a tgz; in a zip they lie in a folder of their own."""
    path = place / f"source-{shape}"
    data = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    if shape == "folder":
        path.mkdir()
        for name, content in data.items():
            (path / name).write_bytes(content)
    elif shape == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in data.items():
                archive.writestr(f"export/{name}", content)
    else:
        with tarfile.open(path, "w:gz") as archive_:
            for name, content in data.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive_.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def backbone(tmp_path: Path) -> Backbone:
    """The index of the small taxonomy."""
    return built(write(tmp_path, dwca()), tmp_path)


def built(source: Path, place: Path) -> Backbone:
    build_backbone(source, place / "backbone.sqlite")
    return Backbone.open(place / "backbone.sqlite")


@pytest.mark.parametrize("shape", ["zip", "tgz", "folder"])
@pytest.mark.parametrize("files", [dwca, coldp, coldp_in_three])
def test_every_archive_of_one_taxonomy_answers_alike(
    tmp_path: Path, files: Callable[[], dict[str, str]], shape: str
) -> None:
    """Darwin Core Archives and both kinds of ColDP, packed or not, tell the same."""
    with built(write(tmp_path, files(), shape), tmp_path) as backbone:
        assert (backbone.info.name, backbone.info.version) == ("A small taxonomy", "2.1")
        assert (backbone.info.taxa, backbone.info.synonyms, backbone.info.common_names) == (16, 1, 5)
        found = backbone.match("Papilio plexippus")
        assert found is not None
        assert (found.match_type, found.taxon_id) == (MatchType.SYNONYM, "5")
        assert (found.matched_name, found.authorship) == ("Papilio plexippus", "Linnaeus, 1758")
        assert found.taxon.tagged == (
            "kingdom Animalia phylum Arthropoda family Nymphalidae genus Danaus species Danaus plexippus"
        )
        assert found.taxon.common_name == "monarch"
        assert found.taxon.class_ is None
        assert found.taxon.order is None


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_single_table_needs_neither_identifiers_nor_parents(tmp_path: Path, ending: str) -> None:
    """A flat list of species is a backbone; its genera are taxa although no row is theirs."""
    columns = ["genus", "specificEpithet", "family", "kingdom", "vernacularName", "language"]
    rows = [
        ["Danaus", "plexippus", "Nymphalidae", "Animalia", "monarch", "en"],
        ["Pieris", "rapae", "Pieridae", "Animalia", "small white", ""],
    ]
    source = tmp_path / f"butterflies.{ending}"
    if ending == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(dict(zip(columns, zip(*rows, strict=True), strict=True))), source)
    else:
        source.write_text(table(columns, rows, "," if ending == "csv" else "\t"), encoding="utf-8-sig")
    with built(source, tmp_path) as backbone:
        assert (backbone.info.name, backbone.info.taxa, backbone.info.common_names) == ("butterflies", 2, 2)
        found = backbone.match("pieris rapae")
        assert found is not None
        assert found.taxon.tagged == "kingdom Animalia family Pieridae genus Pieris species Pieris rapae"
        assert found.taxon.common_name == "small white"
        higher = backbone.match("Danaus ismare")
        assert higher is not None
        assert (higher.match_type, higher.taxon.rank) == (MatchType.HIGHER, "genus")
        assert higher.taxon.family == "Nymphalidae"


def test_the_archive_of_inaturalist_is_read(tmp_path: Path) -> None:
    """Its taxa have addresses for identifiers, its common names the numbers of taxa; there may be no meta.xml."""
    site = "https://www.inaturalist.org/taxa/"
    columns = "id,taxonID,parentNameUsageID,kingdom,phylum,class,order,family,genus,scientificName,taxonRank"
    wider = "Animalia,Arthropoda,Insecta,Lepidoptera,Nymphalidae,Danaus"
    taxa = [
        f"48662,{site}48662,{site}48663,{wider},Danaus plexippus,species",
        f"48663,{site}48663,{site}1,{wider},Danaus,genus",
        f"99,{site}99,{site}48663,{wider},Danaus,subgenus",
    ]
    files = {
        "taxa.csv": "\n".join([columns, *taxa]),
        "VernacularNames-english.csv": "id,vernacularName,language\n48662,Monarch,en\n",
    }
    with built(write(tmp_path, files), tmp_path) as backbone:
        found = backbone.match("Danaus plexippus")
        assert found is not None
        assert (found.taxon_id, found.taxon.common_name, found.taxon.order) == (
            f"{site}48662",
            "Monarch",
            "Lepidoptera",
        )
        assert backbone.match("Danaus") is not None


@pytest.mark.parametrize(
    ("name", "type_", "taxon_id"),
    [
        ("Danaus plexippus", MatchType.EXACT, "5"),
        ("DANAUS PLEXIPPUS", MatchType.EXACT, "5"),
        ("danaus_plexippus", MatchType.EXACT, "5"),
        ("Danaus plexippus (Linnaeus, 1758)", MatchType.EXACT, "5"),
        ("Danaus plexippus megalippe", MatchType.EXACT, "7"),
        ("Danaus plexippus ssp. megalippe Hübner", MatchType.EXACT, "7"),
        ("Danaus plexippus erippus", MatchType.HIGHER, "5"),
        ("Danaus chrysippus", MatchType.EXACT, "15"),
        ("Danaus (Limnas) chrysippus", MatchType.EXACT, "15"),
        ("Mentha piperita", MatchType.EXACT, "14"),
        ("Mentha x piperita", MatchType.EXACT, "14"),
        ("Mentha ×piperita L.", MatchType.EXACT, "14"),
        ("Danaus sp.", MatchType.HIGHER, "4"),
        ("Danaus cf. plexippus", MatchType.HIGHER, "4"),
        ("Danaus ismare", MatchType.HIGHER, "4"),
        ("Danaus", MatchType.EXACT, "4"),
        ("Nymphalidae", MatchType.EXACT, "3"),
        ("Nymphalidae gen. sp.", MatchType.HIGHER, "3"),
        ("Morus alba", MatchType.EXACT, "13"),
        ("Morus Vieillot, 1816", MatchType.EXACT, "8"),
        ("danaus PLEXIPPUS", MatchType.EXACT, "5"),
        ("Danaus Plexippus L.", MatchType.EXACT, "5"),
        ("Danaus KLUK, 1780", MatchType.EXACT, "4"),
        ("danaus ISMARE", MatchType.HIGHER, "4"),
    ],
)
def test_a_name_is_found_however_it_is_written(backbone: Backbone, name: str, type_: MatchType, taxon_id: str) -> None:
    """Authorship, case, hybrid sign, subgenus and words of rank do not matter; open names go as far as they go."""
    found = backbone.match(name)
    assert found is not None
    assert (found.match_type, found.taxon_id) == (type_, taxon_id)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "n/a",
        "?",
        "Morus",  # a genus of two kingdoms
        "Morus nigra",
        "Anosia plexippus",  # misapplied
        "Papilio plexippus erippus",  # what a synonym's subspecies became is not known from the synonym
        "Mentha aquatica × spicata",
        "Danaus plexippus × Danaus chrysippus",
        "Unidentified species",
        "Vanessa atalanta",
    ],
)
def test_what_is_not_certain_is_not_answered(backbone: Backbone, name: str) -> None:
    """No guess is made."""
    assert backbone.match(name) is None


def test_the_kingdom_decides_between_homonyms(backbone: Backbone) -> None:
    """Morus is a gannet or a mulberry; another kingdom's name is no answer."""
    plant, bird = backbone.match("Morus", kingdom="plantae"), backbone.match("Morus", kingdom="Metazoa")
    assert plant is not None
    assert bird is not None
    assert (plant.taxon.family, bird.taxon.kingdom) == ("Moraceae", "Animalia")
    assert backbone.match("Morus nigra", kingdom="Plantae").taxon == plant.taxon  # type: ignore[union-attr]
    assert backbone.match("Danaus plexippus", kingdom="Plantae") is None
    assert {reading.taxon.kingdom for reading in backbone.readings("Morus")} == {"Animalia", "Plantae"}


def test_several_accepted_taxa_of_one_kingdom_are_not_told_apart(tmp_path: Path) -> None:
    """Two accepted homonyms are no answer, but a synonym gives way to the accepted name of its spelling."""
    taxa = [
        ("1", "", "", "Aus bus Smith", "Smith", "species", "accepted"),
        ("2", "", "", "Aus bus Jones", "Jones", "species", "accepted"),
        ("3", "", "", "Cus dus Smith", "Smith", "species", "accepted"),
        ("4", "", "1", "Cus dus Jones", "Jones", "species", "synonym"),
    ]
    with built(write(tmp_path, dwca(Taxon_tsv=table(_TAXON_COLUMNS, taxa))), tmp_path) as backbone:
        assert backbone.match("Aus bus") is None
        assert backbone.match("Aus bus Jones").taxon_id == "2"  # type: ignore[union-attr]
        assert backbone.match("Cus dus").taxon_id == "3"  # type: ignore[union-attr]
        assert backbone.match("Cus dus Jones").taxon_id == "1"  # type: ignore[union-attr]


def test_the_rank_restricts(backbone: Backbone) -> None:
    """A subgenus with the name of its genus is found only when it is asked for."""
    assert backbone.match("Danaus", rank="genus").taxon_id == "4"  # type: ignore[union-attr]
    assert backbone.match("Danaus", rank="subgenus").taxon_id == "17"  # type: ignore[union-attr]
    assert backbone.match("Danaus", rank="family") is None


@pytest.mark.parametrize(
    ("name", "taxon_id"),
    [("Danaus plexipus", "5"), ("Danaus plexippsu", "5"), ("Dannaus plexippus", "5"), ("Papilio plexippis", "5")],
)
def test_a_misspelling_is_mended_only_when_asked(backbone: Backbone, name: str, taxon_id: str) -> None:
    """Fuzzy names lead to the accepted taxon; without `fuzzy` they are not taken for it."""
    plain, fuzzy = backbone.match(name), backbone.match(name, fuzzy=True)
    assert plain is None or plain.match_type is MatchType.HIGHER
    assert fuzzy is not None
    assert (fuzzy.match_type, fuzzy.taxon_id) == (MatchType.FUZZY, taxon_id)


def test_two_equally_near_spellings_are_no_answer(tmp_path: Path) -> None:
    """Between Aus longus and Aus lengus, “Aus lungus” is not decided."""
    taxa = [(name, "", "", f"Auster {name}", "", "species", "accepted") for name in ("longus", "lengus")]
    with built(write(tmp_path, dwca(Taxon_tsv=table(_TAXON_COLUMNS, taxa))), tmp_path) as backbone:
        assert backbone.match("Auster lungus", fuzzy=True) is None
        assert backbone.near("Auster lungus") == ["Auster lengus", "Auster longus"]


def test_near_spellings_are_named(backbone: Backbone) -> None:
    """The nearest come first, whether genus, epithet or initial is wrong; nothing near gives none."""
    assert backbone.near("Danaus plexipus", limit=1) == ["Danaus plexippus"]
    assert backbone.near("Tanaus plexippus") == ["Danaus plexippus"]
    assert backbone.near("Nymfalidae") == ["Nymphalidae"]
    assert "Danaus" in backbone.near("Janaus")
    assert backbone.near("Xyzzyx qwertyuiop") == []


def test_common_names_lead_to_taxa(backbone: Backbone) -> None:
    """In every language, case and accent; the taxon shows the English name, or one of no language."""
    for name in ("monarch", "WANDERER", "Monarchfalter"):
        (found,) = backbone.by_common_name(name)
        assert (found.taxon_id, found.taxon.common_name) == ("5", "monarch")
    assert backbone.match("Morus bassanus").taxon.common_name == "gannet"  # type: ignore[union-attr]
    assert backbone.by_common_name("Murier blanc")[0].taxon.common_name is None
    assert backbone.by_common_name("nothing") == []


def test_a_name_that_is_not_understood_does_not_pass_for_a_wider_one(tmp_path: Path) -> None:
    """A cultivar is no homonym of its species, a bare name is none of anything; an apostrophe is understood."""
    taxa = [
        ("1", "", "", "Abies", "", "genus", "accepted"),
        ("2", "1", "", "Abies alba", "", "species", "accepted"),
        ("3", "2", "", "Abies alba 'Pendula'", "", "cultivar", "accepted"),
        ("4", "1", "", "Abies “x1”", "", "species", "accepted"),
        ("5", "1", "", "Abies o'neilli", "", "species", "accepted"),
        ("6", "", "", "Abies alba", "Auct.", "species", "bare name"),
    ]
    with built(write(tmp_path, dwca(Taxon_tsv=table(_TAXON_COLUMNS, taxa))), tmp_path) as backbone:
        for name, taxon_id in (("Abies", "1"), ("Abies alba", "2"), ("Abies o'neilli", "5")):
            assert backbone.match(name).taxon_id == taxon_id  # type: ignore[union-attr]


def test_parents_in_a_circle_end(tmp_path: Path) -> None:
    """Damaged parents and accepted names do not hold the build up."""
    taxa = [
        ("1", "2", "", "Aus", "", "genus", "accepted"),
        ("2", "1", "", "Busidae", "", "family", "accepted"),
        ("3", "1", "", "Aus bus", "", "species", "accepted"),
        ("4", "", "5", "Aus cus", "", "species", "synonym"),
        ("5", "", "4", "Aus dus", "", "species", "synonym"),
        ("6", "", "7", "Aus eus", "", "species", "synonym"),
        ("7", "", "3", "Aus fus", "", "species", "synonym"),
    ]
    with built(write(tmp_path, dwca(Taxon_tsv=table(_TAXON_COLUMNS, taxa))), tmp_path) as backbone:
        assert backbone.match("Aus bus").taxon.genus == "Aus"  # type: ignore[union-attr]
        assert backbone.match("Aus eus").taxon_id == "3"  # type: ignore[union-attr]
        assert backbone.info.synonyms == 2


def test_progress_is_told_and_name_and_version_can_be_given(tmp_path: Path) -> None:
    """The last report is the number of rows kept."""
    told: list[int] = []
    info = build_backbone(write(tmp_path, dwca()), tmp_path / "b.sqlite", "Mine", "7", told.append)
    assert (info.name, info.version, told[-1]) == ("Mine", "7", 18)
    with Backbone.open(tmp_path / "b.sqlite") as backbone:
        assert backbone.info == info


DOCTYPE = '<!DOCTYPE archive [<!ENTITY a "aaaaaaaaaa">]>'


def _slip(name: str, shape: str) -> bytes:
    stream = io.BytesIO()
    if shape == "zip":
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, "x")
    else:
        with tarfile.open(fileobj=stream, mode="w:gz") as archive_:
            archive_.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


BAD: dict[str, tuple[bytes | Mapping[str, str | bytes], str]] = {
    "zip slip": (_slip("../../evil.tsv", "zip"), "leads out"),
    "absolute": (_slip("/etc/taxon.tsv", "zip"), "leads out"),
    "tar slip": (_slip("../evil.tsv", "tgz"), "leads out"),
    "truncated tar": (_slip("taxon.tsv", "tgz")[:40], "damaged"),
    "no taxonomy": (_slip("photo.jpg", "zip"), "holds no taxonomy"),
    "doctype": (dwca(meta_xml=meta(prolog=DOCTYPE)), "DOCTYPE"),
    "doctype in utf-16": (dwca() | {"meta.xml": meta(prolog=DOCTYPE).encode("utf-16")}, "DOCTYPE"),
    "doctype in eml": (dwca(eml_xml=DOCTYPE + EML), "DOCTYPE"),
    "broken meta": (dwca(meta_xml="<archive>"), "damaged"),
    "column 99": (dwca(meta_xml=meta(extra='<field index="99" term="x"/>')), "column 99"),
    "column -1": (dwca(meta_xml=meta(extra='<field index="-1" term="x"/>')), "“-1”"),
    "no names": (dwca(meta_xml=meta(core=["taxonID", "x"])), "scientificName"),
    "occurrences": (dwca(meta_xml=meta(row_type="Occurrence")), "occurrence records"),
    "missing table": ({"meta.xml": meta()}, "not there"),
    "outside table": (dwca(meta_xml=meta().replace("Taxon.tsv", "../../Taxon.tsv")), "not there"),
    "wrong delimiter": (dwca(meta_xml=meta().replace('fieldsTerminatedBy="\\t"', 'fieldsTerminatedBy="||"')), "TSV"),
    "not utf-8": (dwca() | {"Taxon.tsv": (table(_TAXON_COLUMNS, TAXA)).encode("latin-1", "replace")}, "encoding"),
    "no encoding": (dwca(meta_xml=meta().replace("UTF-8", "rot13")), "rot13"),
    "no rows": (dwca(Taxon_tsv=table(_TAXON_COLUMNS, [])), "no taxa"),
    "long line": (dwca(Taxon_tsv=table(_TAXON_COLUMNS, [["x" * 1_100_000]])), "line of more than"),
    "not a table": (b"a,b\n1,2\n", "no column scientificName"),
    "empty file": (b"", "no column"),
    "binary": (b"\0\1\2" * 100, "not a text file"),
    "broken parquet": (b"PAR1 and nothing", "Parquet"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_source_is_a_sentence_and_changes_nothing(tmp_path: Path, case: str) -> None:
    """Every such file raises RecordError; the index that was there stays, and nothing is left beside it."""
    content, words = BAD[case]
    target = tmp_path / "out" / "backbone.sqlite"
    target.parent.mkdir()
    build_backbone(write(tmp_path, dwca(), "folder"), target)
    before = target.read_bytes()
    if isinstance(content, bytes):
        source = tmp_path / "source"
        source.write_bytes(content)
    else:
        source = write(tmp_path, content)
    with pytest.raises(RecordError, match=words) as raised:
        build_backbone(source, target)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)
    assert target.read_bytes() == before
    assert {file.name for file in target.parent.iterdir()} <= {target.name, target.name + ".lock"}


@pytest.mark.parametrize("shape", ["zip", "tgz", "folder"])
def test_a_bomb_is_stopped_at_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    """An archive is not read beyond the bound, however small it is packed."""
    source = write(tmp_path, dwca(Taxon_tsv=table(_TAXON_COLUMNS, TAXA) + "\n" * 3_000_000), shape)
    monkeypatch.setattr(container, "MAX_BYTES", 2_000_000)
    with pytest.raises(RecordError, match="larger than a taxonomy"):
        build_backbone(source, tmp_path / "b.sqlite")


def test_a_tar_header_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    """The size of an extended header is not believed: it would be read into memory."""
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 4 * 1024**3
    (tmp_path / "bomb.tar").write_bytes(member.tobuf() + b"x" * 512)
    with pytest.raises(RecordError, match="larger than a taxonomy"):
        build_backbone(tmp_path / "bomb.tar", tmp_path / "b.sqlite")


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    """An unpacked archive cannot name other files of the computer."""
    (tmp_path / "secret.tsv").write_text(table(_TAXON_COLUMNS, TAXA))
    source = tmp_path / "unpacked"
    source.mkdir()
    (source / "meta.xml").write_text(meta())
    (source / "Taxon.tsv").symlink_to(tmp_path / "secret.tsv")
    with pytest.raises(RecordError, match="not there"):
        build_backbone(source, tmp_path / "b.sqlite")


def test_a_missing_source_is_said(tmp_path: Path) -> None:
    """A name that leads nowhere is an error with a remedy."""
    with pytest.raises(RecordError, match="no file at"):
        build_backbone(tmp_path / "none.zip", tmp_path / "b.sqlite")


def test_an_interrupted_build_leaves_the_old_index(tmp_path: Path) -> None:
    """Ctrl-C in the middle changes nothing."""
    target = tmp_path / "backbone.sqlite"
    source = write(tmp_path, dwca())
    build_backbone(source, target)
    before = target.read_bytes()

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_backbone(source, target, progress=stop)
    assert target.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob("*.scratch"))


def test_what_a_killed_build_left_is_no_hindrance(tmp_path: Path) -> None:
    """Half an index beside the target is thrown away."""
    for ending in ("part", "scratch"):
        (tmp_path / f"backbone.sqlite.{ending}").write_bytes(b"half")
    with built(write(tmp_path, dwca()), tmp_path) as backbone:
        assert backbone.info.taxa == 16


def test_an_absent_or_damaged_index_is_said(tmp_path: Path) -> None:
    """No index, another program's file, a cut one and another version's are errors with a remedy."""
    with pytest.raises(RecordError, match="no taxonomic backbone"):
        Backbone.open(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("no database " * 100)
    with pytest.raises(RecordError, match="damaged"):
        Backbone.open(tmp_path / "text.sqlite")
    target = tmp_path / "b.sqlite"
    build_backbone(write(tmp_path, dwca()), target)
    (tmp_path / "cut.sqlite").write_bytes(target.read_bytes()[:9_000])
    with pytest.raises(RecordError, match="damaged"), Backbone.open(tmp_path / "cut.sqlite") as cut:
        cut.match("Danaus plexippus")
    with sqlite3.connect(target) as index:
        index.execute("PRAGMA user_version = 9")
    index.close()
    with pytest.raises(RecordError, match="another version"):
        Backbone.open(target)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), byte=st.integers(0, 255), shape=st.sampled_from(["zip", "tgz"]))
@example(at=0.96875, byte=0, shape="zip")  # a name in the zip's list of contents becomes empty
def test_a_damaged_archive_raises_nothing_but_record_error(
    tmp_path_factory: pytest.TempPathFactory, at: float, byte: int, shape: str
) -> None:
    """Whatever byte is wrong, the archive is read or refused with a sentence."""
    place = tmp_path_factory.mktemp("damaged")
    source = write(place, dwca(), shape)
    data = bytearray(source.read_bytes())
    data[int(at * (len(data) - 1))] = byte
    source.write_bytes(data)
    with suppress(RecordError):
        build_backbone(source, place / "b.sqlite")


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    """No text breaks the reading of names, and a key stays what it is when it is read again."""
    parsed = parse_name(text)
    if parsed is not None:
        assert parsed.key


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty catalogue, the one that commands use by default."""
    folder = tmp_path / "catalogue"
    Catalogue.create(folder, Fingerprint("test", "ViT", 4, "squash-32-bicubic", "0" * 64))
    monkeypatch.setenv("BIOCLIP_SEARCH_CATALOGUE", str(folder))
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    command.main([str(argument) for argument in arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_the_command_makes_shows_and_asks(tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`use`, `info` and `match` on the backbone beside the catalogue."""
    source = write(tmp_path, dwca(eml_xml=EML.replace("small", "small&#x202e;")))
    assert "16" in said(capsys, "use", source, "--version", "2.2")
    assert (catalogue / "backbone.sqlite").is_file()
    assert '"version": "2.2"' in said(capsys, "info", "--format", "json")
    found = said(capsys, "match", "Papilio plexippus")
    assert found.startswith("synonym match: Papilio plexippus Linnaeus, 1758\n")
    assert "species        Danaus plexippus" in found
    assert "--kingdom" in said(capsys, "match", "Morus")
    assert "Moraceae" in said(capsys, "match", "Morus", "--kingdom", "Plantae")
    assert "near spellings: Danaus plexippus" in said(capsys, "match", "Tanaus plexippus")
    assert "common name of" in said(capsys, "match", "Monarchfalter")
    assert '"near": []' in said(capsys, "match", "Zzz", "--format", "json")


def test_the_command_needs_a_catalogue_and_a_backbone(
    tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without them it says what to do."""
    with pytest.raises(CatalogueNotFound, match="bioclip-search index"):
        said(capsys, "use", tmp_path / "x.zip", "--catalogue", tmp_path / "nowhere")
    with pytest.raises(RecordError, match="taxonomy use"):
        said(capsys, "match", "Morus")
    assert "use" in said(capsys)
