"""Names of three collections made one: the cleaning of TreeOfLife-10M (Stevens et al. 2024, appendix).

Values that name nothing are emptied, kingdoms get one name each, authors and what follows them is cut from
species, a genus is said once. Everything is in lower case in between, and capitalised at the end.
"""

import html
import re
from collections.abc import Mapping, Sequence

from bioclip_search.taxonomy import RANKS, Taxon
from bioclip_search.text import clean

__all__ = ["Names", "common_name", "is_empty", "key_of", "to_taxon", "unified"]

Names = tuple[str, str, str, str, str, str, str]
"""Kingdom to genus and the epithet, in lower case; “” where there is none."""

_NOTHING = frozenset(
    "(unidentified) unidentified unknown pleasehelp not_classified none nan null n/a incertae_sedis".split()
)
_KINGDOMS = {"metazoa": "animalia", "archaeplastida": "plantae", "chloroplastida": "plantae"}
_TAG = re.compile(r"<[^<>]*>")
_OPEN = frozenset("sp spp cf aff nr indet gen n".split())
_INFRASPECIFIC = frozenset("ssp subsp var f forma form cv".split())
_AUTHORS = re.compile(r"\s[\w.'’-]+,?\s*(?:,[^,]*)?(?:&|\bet\b|\d{4}).*|\s\w\..*", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", re.UNICODE)
_HYBRID = frozenset("× x".split())


def unified(ranks: Mapping[str, str | None]) -> Names:
    """The names of a row, by Darwin Core rank; `species` may be a binomial or an epithet."""
    kingdom, *middle = (_uninomial(ranks.get(rank.value)) for rank in RANKS[:5])
    genus, epithet = _binomial(_uninomial(ranks.get("genus")), _said(ranks.get("species")))
    phylum, class_, order, family = middle
    return _KINGDOMS.get(kingdom, kingdom), phylum, class_, order, family, genus, epithet


def is_empty(names: Names) -> bool:
    """Whether there is no name at all; an epithet alone is none."""
    return not any(names[:6])


def key_of(names: Names) -> str:
    """The scientific name in lower case: “danaus plexippus”, or the narrowest name there is."""
    if names[5] and names[6]:
        return f"{names[5]} {names[6]}"
    return next((name for name in reversed(names[:6]) if name), "")


def to_taxon(names: Names, common: str | None = None) -> Taxon:
    """The taxon, with capitals where names have them."""
    genus, epithet = names[5].capitalize(), names[6]
    wider = {rank.value: name.capitalize() for rank, name in zip(RANKS[:6], names[:6], strict=True)}
    species = f"{genus} {epithet}" if genus and epithet else None
    return Taxon.from_ranks({**wider, "species": species, "vernacularName": common})


def common_name(value: str | None, names: Names) -> str | None:
    """A common name that is one; TreeOfLife's catalogue repeats scientific names where it has no other."""
    text = clean(_TAG.sub("", html.unescape(value or "")))
    if text is None or text.lower() in _NOTHING:
        return None
    said = text.lower()
    lineage = " ".join(name for name in names if name)
    return None if said in (*names, key_of(names), lineage) or said.startswith(f"{key_of(names)} ") else text


def _said(value: str | None) -> str:
    text = clean(_TAG.sub("", html.unescape(value or ""))) or ""
    return "" if text.lower().replace(" ", "_") in _NOTHING else text


def _uninomial(value: str | None) -> str:
    """A name of one word; what is no word (a code, a number) names nothing."""
    words = _said(value).lower().split()
    first = words[1] if len(words) > 1 and words[0] in _HYBRID else (words[0] if words else "")
    return first if _WORD.fullmatch(first) else ""


def _binomial(genus: str, text: str) -> tuple[str, str]:
    """Genus and epithet; a species that begins with a genus gives it where there is none."""
    words = _without_authors(text).split()
    if words and words[0].lower() == genus and len(words) > 1:
        words = words[1:]
    elif not genus and len(words) > 1 and _WORD.fullmatch(words[0]) and words[0].lower() not in _HYBRID | _OPEN:
        genus, words = words[0].lower(), words[1:]
    return genus, _epithet(words)


def _without_authors(text: str) -> str:
    """The text up to parentheses, authors and years; capitals after the first word are authors' too."""
    first, *rest = re.split(r"[(\[]", f" {text}", maxsplit=1)[0].split() or [""]
    if not text.isupper():
        rest = rest[: next((at for at, word in enumerate(rest) if word[0].isupper()), len(rest))]
    return _AUTHORS.sub("", " ".join((first, *rest)).lower())


def _epithet(words: Sequence[str]) -> str:
    """The words of an epithet, up to the first that cannot be one; none at all where the species is left open."""
    kept: list[str] = []
    for word in words:
        core = word.strip(".,;:").lower()
        if core in _OPEN and (word.endswith(".") or core in ("sp", "spp")):
            return ""
        if core in _HYBRID and not kept:
            kept.append("×")
        elif (core in _INFRASPECIFIC and word.endswith(".")) or not _WORD.fullmatch(core):
            break
        elif kept[-1:] != [core]:
            kept.append(core)
    return " ".join(kept) if kept != ["×"] else ""
