"""One photo on its way into a shard: what is known of it, and the members that it becomes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bioclip_search.taxonomy import Taxon, TextType

__all__ = ["KEY_DIGITS", "SourcePhoto", "names_of", "sample_json", "specimen_id", "text_members"]

KEY_DIGITS = 12
_CAPTION = "a photo of {}."


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A photo that a source offers.

    `file` is where it lies, `name` what stays the same wherever the source lies; `specimen` is what all
    photos of one specimen share; `scientific_name` is the determination as written; `source` says whence.
    `captions` are sentences of its own that are true of it.
    """

    file: str
    name: str
    taxon: Taxon
    specimen: str
    scientific_name: str | None
    source: str
    captions: tuple[str, ...] = ()


def specimen_id(terms: Mapping[str, str], otherwise: str) -> str:
    """What identifies the specimen of a record: its occurrenceID, else codes and catalogue number, else `otherwise`."""
    if occurrence := terms.get("occurrenceID"):
        return occurrence
    if number := terms.get("catalogNumber"):
        return ":".join(("urn:catalog", terms.get("institutionCode", ""), terms.get("collectionCode", ""), number))
    return otherwise


def names_of(taxon: Taxon) -> dict[str, str]:
    """The names of a taxon by Darwin Core term; `Taxon.from_ranks` reads them back."""
    names = {rank.value: name for rank, name in taxon.lineage}
    return names | ({"vernacularName": taxon.common_name} if taxon.common_name else {})


def sample_json(
    key: str,
    names: Mapping[str, str],
    scientific_name: str | None,
    specimen: str,
    source: str,
    captions: Sequence[str] = (),
) -> bytes:
    """The JSON member of a sample."""
    document: dict[str, object] = {"key": key, **names}
    if scientific_name:
        document["scientificName"] = scientific_name
    document |= {"specimen": specimen, "source": source}
    if captions:
        document["captions"] = list(captions)
    return json.dumps(document, ensure_ascii=False).encode()


def text_members(taxon: Taxon) -> dict[str, bytes]:
    """The ten text members of BioCLIP's own shards, by extension, and the one of open_clip's trainer (`txt`).

    Stevens et al. 2024: seven captions “a photo of X.” and three bare names; `txt` is the caption of the
    taxonomic and the common name. Names that are missing fall back as `Taxon.text` does.
    """
    texts = {kind.value: taxon.text(kind) or "" for kind in TextType}
    tagged = taxon.tagged or texts[TextType.TAXONOMIC]
    common = taxon.common_name
    texts["taxonTag"] = tagged
    texts["taxonTag_com"] = f"{tagged} with common name {common}" if common and common != tagged else tagged
    members = {f"{name}.txt": _CAPTION.format(text) for name, text in texts.items()}
    members |= {
        "txt": _CAPTION.format(texts[TextType.TAXONOMIC_COMMON]),
        "scientific_name.txt": texts[TextType.SCIENTIFIC],
        "taxonomic_name.txt": texts[TextType.TAXONOMIC],
        "common_name.txt": texts[TextType.COMMON],
    }
    return {name: text.encode() for name, text in members.items()}
