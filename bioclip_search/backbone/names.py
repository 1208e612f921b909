"""Scientific names made comparable: without authorship, case, hybrid signs, subgenus and words of rank."""

import re
import unicodedata
from typing import NamedTuple

from bioclip_search.text import clean

__all__ = ["ScientificName", "fold", "parse_name", "parse_with_epithet", "rank_of"]

_SIGNS = frozenset("× x X ✕ ✖".split())
_FIRST = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]+)*")
_EPITHET = re.compile(r"(?:\d{1,2}-)?[^\W\d_]{2,}(?:-[^\W\d_]+)*|[^\W\d_][-'’][^\W\d_]+")
_SUBGENUS = re.compile(r"\([^\W\d_][^\W_]+\)")
_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l"})
_AUTHOR_WORDS = frozenset(
    "and et al ex in non nec auct sensu emend de da di du do dos des del della den der van von vom zu zur la le les "
    "af ter ten".split()
)
_OPEN = frozenset(
    "sp spp cf cff aff nr near indet undet gen nov undetermined unidentified unknown incertae sect section subsect "
    "subg subgen subgenus ser agg group".split()
)
_INFRASPECIFIC = {
    "subsp": "subspecies",
    "ssp": "subspecies",
    "var": "variety",
    "f": "form",
    "fo": "form",
    "forma": "form",
    "subvar": "subvariety",
    "subf": "subform",
    "nothosubsp": "subspecies",
    "nothovar": "variety",
}
_RANKS = {
    **_INFRASPECIFIC,
    "varietas": "variety",
    "division": "phylum",
    "divisio": "phylum",
    "gen": "genus",
    "sp": "species",
    "nothospecies": "species",
    "nothogenus": "genus",
    "fam": "family",
}
_MOST_WORDS = 4
_NO_NAMES = frozenset("incertae unknown unidentified undetermined indet unassigned environmental".split())


class ScientificName(NamedTuple):
    """A name taken apart.

    `key` is what is compared; `written` keeps case and hybrid sign; `rank` is said by a word in
    the name (“var.”); `is_open` where the name says that it goes no further (“sp.”, “cf.”).
    """

    key: str
    written: str
    authorship: str | None
    rank: str | None
    is_open: bool


def fold(text: str) -> str:
    """Lower case without diacritics: “Isoëtes” and “isoetes” are one name (ICN, article 60.7)."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    marked = unicodedata.normalize("NFKD", folded.translate(_LETTERS))
    return "".join(letter for letter in marked if not unicodedata.combining(letter))


def rank_of(text: str | None) -> str | None:
    """A rank in lower case, abbreviations written out."""
    word = (text or "").strip().rstrip(".").lower().replace("_", " ")
    return _RANKS.get(word, word) or None


def parse_name(text: str | None) -> ScientificName | None:
    """Take a scientific name apart; None for what names no single taxon (a hybrid formula, a code, “n/a”)."""
    words = (clean(text) or "").replace("_", " ").replace("×", " × ").split()
    if len(words) > 1 and " ".join(words).isupper():
        words = [words[0].capitalize(), *(word.lower() for word in words[1:])]
    leading = words[0] in _SIGNS if len(words) > 1 else False
    if leading:
        del words[0]
    if not words or not _FIRST.fullmatch(words[0]) or words[0].lower() in _NO_NAMES:
        return None
    key = [words[0]]
    written = ["×" + words[0] if leading else words[0]]
    rank, is_open, author, hybrid = None, False, None, False
    at, end = 1, len(words)
    if end > 2 and _SUBGENUS.fullmatch(words[1]) and _is_epithet(words[2]):
        at = 2
    while at < end and len(key) < _MOST_WORDS:
        word = words[at]
        bare = word.rstrip(".").lower()
        if word in _SIGNS and author is None:
            if len(key) > 1 or at + 1 == end:
                return None  # “Salix alba × fragilis” is the cross of two species
            hybrid = True
        elif author is None and (bare in _OPEN or word.endswith("?")):
            is_open = True
            break
        elif bare in _INFRASPECIFIC and len(key) > 1 and at + 1 < end and _is_epithet(words[at + 1]):
            rank = _INFRASPECIFIC[bare]
            at += 1
            key.append(words[at])
            written += [word, words[at]]
        elif author is None and _is_epithet(word):
            key.append(word)
            written += ["×", word] if hybrid else [word]
            hybrid = False
        elif hybrid:
            return None  # a sign before a capital: a formula of genera
        elif author is None:
            author = at
        at += 1
    authorship = " ".join(words[author:]) if author is not None and rank is None else None
    return ScientificName(fold(" ".join(key)), " ".join(written), authorship, rank, is_open)


def parse_with_epithet(text: str) -> ScientificName | None:
    """The name if its second word is an epithet and no author, whatever its capitals: “solanum LYCOPERSICUM”."""
    words = (clean(text) or "").replace("_", " ").split()
    if len(words) < 2 or not words[1].replace("-", "").isalpha():
        return None
    return parse_name(" ".join([words[0], words[1].lower(), *words[2:]]))


def _is_epithet(word: str) -> bool:
    return word.islower() and word not in _AUTHOR_WORDS and _EPITHET.fullmatch(word) is not None
