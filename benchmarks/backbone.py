"""How long does a taxonomic backbone take to build, what memory, and how soon is a name answered?

    python benchmarks/backbone.py --taxa 1000000

Writes a Darwin Core Archive of that many invented taxa (a fifth of them synonyms, a common name for every
tenth; as in GBIF's, names with authors, ranks in columns and by parents), builds the index in a process of its
own and asks it. Prints seconds, peak of resident memory, and microseconds a name, each as one JSON object.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

_BUILD = """
import json, resource, sys, time
from pathlib import Path
from bioclip_search.backbone import build_backbone
began = time.perf_counter()
info = build_backbone(Path(sys.argv[1]), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"taxa": info.taxa, "synonyms": info.synonyms, "common_names": info.common_names,
                  "build_seconds": time.perf_counter() - began, "peak_mb": peak}))
"""
_COLUMNS = (
    "taxonID parentNameUsageID acceptedNameUsageID scientificName scientificNameAuthorship canonicalName taxonRank "
    "taxonomicStatus kingdom phylum class order family genus"
).split()
_TERMS = "http://rs.tdwg.org/dwc/terms/"
_SPECIES_IN_GENUS = 15
_GENERA_IN_FAMILY = 20


@click.command()
@click.option("--taxa", default=1_000_000, help="Rows of the taxonomy.")
@click.option("--names", default=2_000, help="Names to ask for.")
@click.option("--no-columns", is_flag=True, help="Leave the columns of ranks empty, as Catalogue of Life does.")
def main(taxa: int, names: int, no_columns: bool) -> None:
    """Measure and print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        archive, index = Path(folder) / "taxa.zip", Path(folder) / "backbone.sqlite"
        asked = _write(archive, taxa, names, no_columns)
        words = [sys.executable, "-c", _BUILD, str(archive), str(index)]
        figures = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        print(json.dumps(figures | {"index_mb": index.stat().st_size / 1024**2} | _ask(index, asked), indent=2))


def _ask(index: Path, names: list[str]) -> dict[str, float]:
    from bioclip_search.backbone import Backbone

    rng = random.Random(2)  # noqa: S311
    with Backbone.open(index) as backbone:
        found = sum(backbone.match(name) is not None for name in names)
        misspelt = [_misspelt(name, rng) for name in names]
        exact = _micros(lambda name: backbone.match(name), names)
        near = _micros(lambda name: backbone.near(name), misspelt)
        fuzzy = _micros(lambda name: backbone.match(name, fuzzy=True), misspelt)
        right = sum(
            corrected is not None and corrected.matched_name == name
            for name, wrong in zip(names, misspelt, strict=True)
            if (corrected := backbone.match(wrong, fuzzy=True))
        )
        return {
            "found": found / len(names),
            "misspelt_corrected": right / len(names),
            **{f"exact_{key}": value for key, value in exact.items()},
            **{f"near_{key}": value for key, value in near.items()},
            **{f"fuzzy_{key}": value for key, value in fuzzy.items()},
        }


def _micros(ask: Callable[[str], object], names: list[str]) -> dict[str, float]:
    taken = []
    for name in names:
        began = time.perf_counter()
        ask(name)
        taken.append((time.perf_counter() - began) * 1e6)
    return {"us_median": statistics.median(taken), "us_99th": sorted(taken)[len(taken) * 99 // 100]}


def _misspelt(name: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(name) - 1)
    while name[at] == " ":
        at = rng.randrange(1, len(name) - 1)
    return name[:at] + rng.choice("aeiou") + name[at + 1 :]


def _write(archive: Path, count: int, asked: int, no_columns: bool) -> list[str]:
    """The archive; answers names of species in it."""
    fields = "".join(f'<field index="{at}" term="{_TERMS}{name}"/>' for at, name in enumerate(_COLUMNS) if at)
    layout = 'encoding="UTF-8" fieldsTerminatedBy="\\t" fieldsEnclosedBy="" ignoreHeaderLines="1"'
    meta = (
        f'<archive xmlns="http://rs.tdwg.org/dwc/text/"><core {layout} rowType="{_TERMS}Taxon">'
        f'<files><location>Taxon.tsv</location></files><id index="0"/>{fields}</core>'
        f'<extension {layout} rowType="http://rs.gbif.org/terms/1.0/VernacularName">'
        f'<files><location>VernacularName.tsv</location></files><coreid index="0"/>'
        f'<field index="1" term="{_TERMS}vernacularName"/><field index="2" term="http://purl.org/dc/terms/language"/>'
        "</extension></archive>"
    )
    names: list[str] = []
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("meta.xml", meta)
        with packed.open("Taxon.tsv", "w", force_zip64=True) as stream:
            stream.write(("\t".join(_COLUMNS) + "\n").encode())
            for row in _rows(count, no_columns):
                stream.write(("\t".join(row) + "\n").encode())
                if row[6] == "species" and row[7] == "accepted":
                    names.append(row[5])
        with packed.open("VernacularName.tsv", "w") as stream:
            stream.write(b"taxonID\tvernacularName\tlanguage\n")
            for number in range(0, count, 10):
                stream.write(f"{number}\tcommon name {number}\ten\n".encode())
    return random.Random(1).sample(names, min(asked, len(names)))  # noqa: S311


def _rows(count: int, no_columns: bool) -> Iterator[tuple[str, ...]]:
    rng = random.Random(0)  # noqa: S311
    epithets = [_word(rng, 3) for _ in range(60_000)]
    upper = ("Animalia", "Arthropoda", "Insecta", "Coleoptera")
    number, parent = 0, ""
    for name, rank in zip(upper, ("kingdom", "phylum", "class", "order"), strict=True):
        yield _row(number, parent, "", name, "", rank, ("",) * 6)
        number, parent = number + 1, str(number)
    order = parent
    while number < count:
        family, family_id = _word(rng, 3).capitalize() + "idae", str(number)
        yield _row(number, order, "", family, "", "family", ("",) * 6)
        number += 1
        for _ in range(_GENERA_IN_FAMILY):
            genus, genus_id = _word(rng, 3).capitalize(), str(number)
            yield _row(number, family_id, "", genus, _author(rng), "genus", ("",) * 6)
            number += 1
            ranks = ("",) * 6 if no_columns else (*upper, family, genus)
            last = ""
            for _ in range(_SPECIES_IN_GENUS):
                name = f"{genus} {rng.choice(epithets)}"
                synonym_of = last if last and rng.random() < 0.2 else ""
                parent = genus_id if not synonym_of else ""
                yield _row(number, parent, synonym_of, name, _author(rng), "species", ranks)
                last = last if synonym_of else str(number)
                number += 1


def _row(
    number: int, parent: str, accepted: str, name: str, author: str, rank: str, ranks: tuple[str, ...]
) -> tuple[str, ...]:
    status = "synonym" if accepted else "accepted"
    return (str(number), parent, accepted, f"{name} {author}".strip(), author, name, rank, status, *ranks)


def _word(rng: random.Random, syllables: int) -> str:
    parts = (rng.choice("bcdfglmnprstv") + rng.choice("aeiou") + rng.choice("lnrst") for _ in range(syllables))
    return "".join(parts) + rng.choice(("us", "a", "um", "is"))


def _author(rng: random.Random) -> str:
    return f"{_word(rng, 1).capitalize()}, {rng.randrange(1758, 2020)}"


if __name__ == "__main__":
    main()
