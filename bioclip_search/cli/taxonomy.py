"""bioclip-search taxonomy"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioclip_search.cli.journaled import journaled
from bioclip_search.cli.options import catalogue_option, format_option
from bioclip_search.cli.output import print_json, print_lines
from bioclip_search.cli.progress import meter
from bioclip_search.text import printable

if TYPE_CHECKING:
    from bioclip_search.backbone import Backbone, BackboneInfo, BackboneMatch
    from bioclip_search.taxonomy import Taxon

__all__ = ["command"]

_NAMES_BETWEEN_LINES = 200_000


@click.group("taxonomy", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Check names against a taxonomy of your own: GBIF, Catalogue of Life, iNaturalist, or a list.

    Begin with `bioclip-search taxonomy use FILE`.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("use")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="What to call the taxonomy. Default: its own title, else the name of the file.")
@click.option("--version", help="Its version. Default: what it says itself.")
@catalogue_option
@format_option("text", "json")
def use(file: Path, name: str | None, version: str | None, catalogue: Path | None, format_: str) -> None:
    """Make FILE the taxonomy of the catalogue, and place its photos in it.

    Ranks that records leave out are filled, synonyms are led to their accepted names; names as written
    stay, and so do those that several taxa bear, or whose records contradict its ranks above the genus (a family
    may differ within the order). Later records are placed as they come.

    FILE is a Darwin Core Archive or a ColDP (zip, tar.gz or folder), or a CSV, TSV or Parquet file
    with Darwin Core taxon columns. It is only read, and is not needed afterwards.
    """
    from bioclip_search.backbone import build_backbone
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.paths import absolute
    from indexer.attach import place_all

    target = _place(catalogue)
    with meter("Reading the taxonomy") as progress:

        def say(names: int) -> None:
            if names and names % _NAMES_BETWEEN_LINES == 0:
                progress.say(f"{names:,} names read")

        info = build_backbone(absolute(file), target, name, version, say)
    opened = Catalogue.open(target.parent)
    with journaled(opened) as counts:
        done = place_all(opened)
        counts["placed"] = done.changed
    _print_info(info, format_, asdict(done))
    if done.contradicting and format_ == "text":
        told = (
            f"{done.contradicting:,} photos have names of the taxonomy, but a kingdom, phylum, class, order or family"
        )
        print_lines([f"{told} that contradicts it; they are left as they are"])


@command.command("info")
@catalogue_option
@format_option("text", "json")
def info(catalogue: Path | None, format_: str) -> None:
    """Show the taxonomy in use: its name, version and size."""
    with _open(catalogue) as backbone:
        _print_info(backbone.info, format_)


@command.command("match")
@click.argument("name")
@click.option("--kingdom", help="Look in this kingdom only: Animalia, Plantae, Fungi …")
@catalogue_option
@format_option("text", "json")
def match(name: str, kingdom: str | None, catalogue: Path | None, format_: str) -> None:
    """Show the accepted taxon of NAME, a scientific or a common one, or names of nearly its spelling."""
    with _open(catalogue) as backbone:
        found = backbone.match(name, kingdom=kingdom)
        homonyms = [] if found else backbone.readings(name, kingdom=kingdom)
        commonly = [] if found or homonyms else backbone.by_common_name(name)
        near = [] if found or homonyms or commonly else backbone.near(name)
    if format_ == "json":
        print_json(
            {
                "name": name,
                "match": _as_json(found) if found else None,
                "homonyms": [_as_json(homonym) for homonym in homonyms],
                "commonNames": [_as_json(taxon) for taxon in commonly],
                "near": near,
            }
        )
    else:
        print_lines(printable(line) for line in _lines(name, found, homonyms, commonly, near))


def _place(flag: Path | None) -> Path:
    """Where the index of a catalogue lies. Raises CatalogueNotFound."""
    from bioclip_search.catalogue import Catalogue
    from bioclip_search.config import catalogue_folder
    from bioclip_search.errors import CatalogueNotFound
    from bioclip_search.placement import BACKBONE_FILE

    folder = catalogue_folder(flag)
    if not Catalogue.exists(folder):
        raise CatalogueNotFound(
            f"There is no catalogue at {folder}. Make one with `bioclip-search index PHOTOS`, "
            "or name another place with --catalogue."
        )
    return folder / BACKBONE_FILE


def _open(flag: Path | None) -> "Backbone":
    from bioclip_search.backbone import Backbone

    return Backbone.open(_place(flag))


def _print_info(info: "BackboneInfo", format_: str, counts: dict[str, int] | None = None) -> None:
    counts = counts or {}
    facts = {
        "name": info.name,
        "version": info.version,
        "taxa": info.taxa,
        "synonyms": info.synonyms,
        "commonNames": info.common_names,
        "built": info.built.isoformat(timespec="seconds"),
        **counts,
    }
    if format_ == "json":
        print_json(facts)
        return
    rows = {
        "taxonomy": info.name,
        "version": info.version or "not stated",
        "taxa": f"{info.taxa:,}",
        "synonyms": f"{info.synonyms:,}",
        "common names": f"{info.common_names:,}",
        "built": info.built.isoformat(timespec="minutes"),
    }
    rows |= {f"photos {name}": f"{count:,}" for name, count in counts.items()}
    print_lines(f"{title:<14} {printable(value)}" for title, value in rows.items())


def _as_json(match: "BackboneMatch") -> dict[str, Any]:
    taxon = match.taxon
    return {
        "taxonID": match.taxon_id,
        "scientificName": taxon.scientific_name,
        "vernacularName": taxon.common_name,
        **{rank.value: name for rank, name in taxon.lineage},
        "matchType": match.match_type.value,
        "matchedName": match.matched_name,
        "scientificNameAuthorship": match.authorship,
    }


def _lines(
    name: str,
    found: "BackboneMatch | None",
    homonyms: "list[BackboneMatch]",
    commonly: "list[BackboneMatch]",
    near: list[str],
) -> list[str]:
    if found:
        author = f" {found.authorship}" if found.authorship else ""
        lines = [f"{found.match_type.value} match: {found.matched_name}{author}"]
        return [*lines, *(f"{rank:<14} {part}" for rank, part in found.taxon.lineage), *_common(found.taxon)]
    if homonyms:
        told = "say which one with --kingdom" if _differ(homonyms) else "the taxonomy does not tell which is meant"
        return [f"“{name}” is the name of several taxa; {told}:", *map(_line, homonyms)]
    if commonly:
        return [f"“{name}” is a common name of:", *map(_line, commonly)]
    if near:
        return [f"“{name}” is not in the taxonomy; near spellings: {', '.join(near)}"]
    return [f"“{name}” is not in the taxonomy, nor is a name of nearly its spelling"]


def _common(taxon: "Taxon") -> list[str]:
    return [f"{'common name':<14} {taxon.common_name}"] if taxon.common_name else []


def _line(match: "BackboneMatch") -> str:
    return f"  {match.taxon.taxonomic_name or match.matched_name}"


def _differ(homonyms: "list[BackboneMatch]") -> bool:
    return len({homonym.taxon.kingdom for homonym in homonyms}) > 1
