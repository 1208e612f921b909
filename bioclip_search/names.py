"""Scientific names as collections write them: what is claimed, and what is only supposed.

The grammar is the GBIF name parser's (https://github.com/CatalogueOfLife/name-parser). Around it stand
readers for what labels hold besides names. A species is reported only when the text claims one; in
doubt there is none, and the text as written is kept.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from bioclip_search.text import clean

if TYPE_CHECKING:
    import nameparser

__all__ = ["NameKind", "ParsedName", "parse_name"]


class NameKind(StrEnum):
    """What a text in the place of a scientific name turned out to be."""

    SCIENTIFIC = "scientific"
    INFORMAL = "informal"
    HYBRID = "hybrid"
    VIRUS = "virus"
    CODE = "code"
    PLACEHOLDER = "placeholder"
    UNPARSABLE = "unparsable"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A name and its parts; whatever the text does not claim is None.

    `verbatim` is the text on one line. `canonical` has neither authorship nor qualifier: of “Carabus cf.
    violaceus” it is “Carabus”. `genus` is None for a single word, which may be of any rank. `qualifier` is
    as written, “sp. 3” with its number. `rank` is the rank of `canonical`.
    """

    verbatim: str | None
    kind: NameKind
    canonical: str | None = None
    genus: str | None = None
    specific_epithet: str | None = None
    infraspecific_epithet: str | None = None
    authorship: str | None = None
    qualifier: str | None = None
    rank: str | None = None

    @property
    def species(self) -> str | None:
        """“Genus epithet” where a species is claimed, a hybrid's sign kept (“Quercus × hispanica”), else None."""
        if self.kind not in _CLAIMING or self.genus is None or self.specific_epithet is None:
            return None
        canonical = self.canonical or ""
        generic, specific = ("× " if sign in canonical else "" for sign in (f"× {self.genus}", f"{self.genus} × "))
        return f"{generic}{self.genus} {specific}{self.specific_epithet}"


_CLAIMING = (NameKind.SCIENTIFIC, NameKind.HYBRID)
_LONGEST = 1000  # the parser takes no more either

_UPPER, _LOWER = "A-ZÀ-ÖØ-ÞŒ", "a-zß-öø-ÿœ"
_TAXON = re.compile(rf"[{_UPPER}][{_LOWER}]+(?:-[{_UPPER}{_LOWER}]+)?")
_EPITHET = re.compile(rf"(?:\d{{1,2}}-)?[{_LOWER}-]*[{_LOWER}]{{2}}")
_ABBREVIATED = re.compile(rf"[{_UPPER}][{_LOWER}]*\.")
_LETTER = r"[^\W\d_]"
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")

_NOTHING = re.compile(r"[-–—−_.,:;?!*/#~'\"()\[\] ]+")
_PLACEHOLDER = re.compile(
    r"n\.? ?[/.]? ?a\.?|none|null|nil|nan|tb[dc]|x{2,}|(?:no|without|not|to be) (?:an? )?"
    r"(?:name|id|data|det\w*|identif\w*|applicable|available|known|named|specified|recorded|given)\.?"
    r"|genus species|unbestimmt|incertae sedis|unsorted|unnamed|uncultured .*|environmental samples?"
    r"|(?:miscellaneous|various|mixed)\b.*",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"[A-Z]{2,12}[ :._-]?\d[\w.:-]*|SH\d+\.\d+FU\b.*|(?:https?://|urn:|doi:).*|[A-Za-z]+:\S*\d.*"
    r"|[ .:/_-]*\d[\d .:/_-]*"
)
_VIRUS = re.compile(r"\b(?:virus(?:es)?|\w*phages?|viroids?|NPV)\b", re.IGNORECASE)
_SEVERAL = re.compile(rf"[;|=/\\]\s*{_LETTER}")
# What is said of the specimen; stages only after two words, since “Mastus pupa” is a species.
_NOTE = re.compile(r" (?:\(?(?:(?:fe)?males?\b|juv(?:enile)?\b\.?|[♂♀☿⚥⚲]+)\)?|(?:det|leg|coll)[.:].*)")
_STAGE = re.compile(r"(\S+ [^ ×]\S+.*) \(?(?:larvae?|pupae?|nymphs?|adults?|imago|eggs?|workers?)\)?")
_WRAPPED = re.compile(r"[\"“”„»«'‘’(\[]([^\"“”„»«'‘’()\[\]]+)[\"“”„»«'‘’)\]]")
_CULTIVAR = re.compile(rf" cv\.? '?([{_UPPER}][\w-]*(?: [{_UPPER}][\w-]*)*)'?$")

_NEW = frozenset("n nov new".split())
_SPECIES_OPEN = frozenset("sp spp spec species".split())
_OPEN = _SPECIES_OPEN | frozenset(
    "gen genus fam ind indet undet indetermined undetermined unidentified unknown incertae".split()
)
_DOUBTS = frozenset(
    "cf aff nr near prope confer conf gr probably possibly prob poss maybe perhaps presumably like not".split()
)
_RANK_MARKS = frozenset("ssp subsp var cv subvar convar".split())
_AGGREGATE = re.compile(r" (agg\.?|(?:sp\.? |species )?(?:group|complex))(?=$| )")
_NUMBERED = re.compile(r"(spp?|spec|species)[._#-]*(?:\d\w*|(?<=[._#-])[A-Z]\w*)")
_CAPITALISED_MARKS = frozenset("sp spp cf aff nr indet gen ssp subsp var".split())
_JOINING = frozenset("and et or und oder ou vel with on of from in ex auf mit near the is to by".split())
_NOT_EPITHETS = (
    _JOINING
    | _OPEN
    | _DOUBTS
    | _RANK_MARKS
    | _NEW
    | frozenset(
        "agg aggr auct det hort hybrid leg nom nud sample sensu sic specimen type adult "
        "nymph egg eggs nest queen worker soldier wing leaf flower fruit seed juvenile male female".split()
    )
)
_AUTHOR_WORDS = frozenset(
    "and apud auct auctt aus bis dal dalla dalle das degli dei del della delle dem den der des dos emend fil "
    "hort het ined nec non nom pro sensu ten ter thor tom und van ver von vom zum zur".split()
)
_LOWER_WORD = re.compile(rf"(?<![\w'’.-])[{_LOWER}]{{3,}}(?![\w.'’-])")
# In “ACER LINNAEUS” nothing but the word itself tells that it is no epithet.
_AUTHORS_IN_CAPITALS = frozenset(
    "LINNAEUS LINNÉ LINNE FABRICIUS LATREILLE LAMARCK GMELIN CUVIER MILLER WALKER BOISDUVAL DEJEAN SCOPOLI "
    "PALLAS THUNBERG OLIVIER SCHRANK HÜBNER DARWIN".split()
)

# Endings that the codes reserve to families and their like; and endings that some genera share.
_NEVER_GENUS = ("idae", "inae", "aceae", "oideae", "formes", "virales", "mycetes", "mycota", "phyta", "opsida")
_SELDOM_GENUS = ("ptera", "oidea", "ini", "ales", "morpha", "poda", "phyceae", "virus")
_HIGHER = frozenset(
    "Acari Agaricomycotina Algae Amphibia Amphipoda Angiospermae Animalia Annelida Anura Arachnida Araneae Arthropoda "
    "Aves Bacteria Bivalvia Blattodea Brachycera Bryozoa Carnivora Cephalopoda Chordata Cnidaria Coleoptera Collembola "
    "Crustacea Decapoda Dermaptera Diptera Echinodermata Ephemeroptera Fungi Gastropoda Gymnospermae Hemiptera "
    "Heterocera Heteroptera Homoptera Hymenoptera Insecta Isopoda Isoptera Lepidoptera Lichenes Mammalia Mantodea "
    "Mecoptera Mollusca Musci Nematocera Nematoda Neuroptera Odonata Oligochaeta Opiliones Orthoptera Phasmatodea "
    "Pisces Plantae Plecoptera Polychaeta Porifera Primates Protozoa Psocoptera Pteridophyta Reptilia Rhopalocera "
    "Rodentia Scorpiones Siphonaptera Squamata Strepsiptera Testudines Thysanoptera Trichoptera".split()
)
_UNSAID_RANKS = frozenset("UNRANKED OTHER INFRASPECIFIC_NAME INFRAGENERIC_NAME SUPRAGENERIC_NAME".split())

_Reader = Callable[[str], ParsedName | None]


@lru_cache(maxsize=65_536)
def parse_name(verbatim: str | None) -> ParsedName:
    """Understand a name as written; total: whatever the text, it never raises.

    The first reader that recognises the text answers; what none does is UNPARSABLE.
    """
    text = clean(verbatim)
    if text is None:
        return ParsedName(None, NameKind.EMPTY)
    name = _without_markup(text) if len(text) <= _LONGEST else None
    if name is None:
        return ParsedName(text, NameKind.UNPARSABLE)
    found = _first(_AS_WRITTEN, name) or _first(_AS_NAME, _recased(_without_notes(name)))
    return replace(found or _UNPARSABLE, verbatim=text)


def _first(readers: Sequence[_Reader], name: str) -> ParsedName | None:
    return next((found for reader in readers if (found := reader(name))), None)


def _without_markup(text: str) -> str | None:
    """Tags and entities gone, accents composed, a lone letter x between words as the sign of hybrids."""
    plain = unicodedata.normalize("NFC", _TAG.sub("", html.unescape(text)))
    plain = re.sub(rf"^[xX] (?=[{_UPPER}])|(?<=\S) [xX] (?={_LETTER})", " × ", plain.strip())
    if match := _WRAPPED.fullmatch(plain):
        plain = match[1]
    plain = re.sub(r" aggr\b\.?", " agg.", _CULTIVAR.sub(r" '\1'", plain))
    # No Latin word begins with x and these consonants: “xhispanica” is a hybrid.
    return clean(re.sub(r" [x×](?=[b-df-hj-np-tv-xz])", " × ", plain))


def _without_notes(name: str) -> str:
    name = _NOTE.sub("", name)
    match = _STAGE.fullmatch(name)
    return match[1] if match else name


def _recased(name: str) -> str:
    """The name with the capitals that names have: “papilio MACHAON” -> “Papilio machaon”."""
    words = name.split(" ")
    if name.isupper() and len(words[0]) > 2:
        return " ".join(_from_capitals(words))
    first = words[0]
    if first.islower() and first.replace("-", "").isalpha() and first not in _DOUBTS:
        words[0] = first[0].upper() + first[1:]
        at = 2 if words[1:2] == ["×"] else 1
        second = words[at] if len(words) > at else ""
        is_numeral = set(second) <= set("IVX")
        if second.isupper() and second.isalpha() and not is_numeral and second not in _AUTHORS_IN_CAPITALS:
            words[at] = second.lower() if len(second) > 2 else second
    elif first.isupper() and len(first) > 2:
        words[0] = first.capitalize()
    elif _core(first) in _DOUBTS & _CAPITALISED_MARKS:
        words[0] = first.lower()
    return " ".join(word.lower() if at and _core(word) in _CAPITALISED_MARKS else word for at, word in enumerate(words))


def _from_capitals(words: Sequence[str]) -> list[str]:
    """Genus, one epithet, and an epithet after each mark of rank; every other word is taken for an author's."""
    written: list[str] = []
    epithet_due = False
    genus_due = True
    for word in words:
        core = _core(word)
        if word == "×":
            written.append(word)
        elif genus_due or (written[-1] == "×" and not epithet_due and (word == words[0] or word.endswith("."))):
            written.append(word.capitalize())
            genus_due, epithet_due = False, True
        elif core in _NOT_EPITHETS or core in {"f", "agg"} or _NUMBERED.fullmatch(core):
            written.append(word.lower())
            epithet_due = epithet_due or core in _RANK_MARKS | {"f"}
        elif epithet_due and word.replace("-", "").isalpha() and word not in _AUTHORS_IN_CAPITALS:
            written.append(word.lower())
            epithet_due = False
        else:
            written.append(word.title())
            epithet_due = epithet_due and not word[0].isalpha()  # a subgenus comes before the epithet
    return written


def _core(word: str) -> str:
    return word.strip(".,:?!()[]'\"").lower()


# ---- readers of texts that are no names ----


def _placeholder(name: str) -> ParsedName | None:
    words = [_core(word) for word in name.split(" ")]
    first = _NUMBERED.fullmatch(words[0])
    is_open = words[0] in _OPEN or (first is not None and first[1] in _OPEN)
    is_placeholder = is_open or _NOTHING.fullmatch(name) or _PLACEHOLDER.fullmatch(name)
    return ParsedName(None, NameKind.PLACEHOLDER) if is_placeholder else None


def _code(name: str) -> ParsedName | None:
    return ParsedName(None, NameKind.CODE) if _CODE.fullmatch(name) else None


def _virus(name: str) -> ParsedName | None:
    return ParsedName(None, NameKind.VIRUS) if _VIRUS.search(name) else None


def _several(name: str) -> ParsedName | None:
    return _UNPARSABLE if _SEVERAL.search(name) else None


# ---- readers of names ----


def _formula(name: str) -> ParsedName | None:
    """Two parents, “Quercus robur × Quercus petraea”; None for a hybrid that has a name of its own."""
    if match := re.fullmatch(r"([^ ×]+) (?:hybrids?\b.*|[×xX])", name):
        genus = _genus(match[1])
        return ParsedName(None, NameKind.HYBRID, genus, genus, rank="genus" if genus else None)
    name = re.sub(r"\(([^()]*×[^()]*)\)", r"\1", name)
    sides = [side for part in name.split("×") if (side := part.strip(" ()"))]
    if len(sides) < 2:
        return None
    left = sides[0].split(" ")
    if len(sides) == 2 and sides[1][0].islower() and (not _has_epithet(left) or _core(left[-1]) in _DOUBTS):
        return None
    first = left[0]
    if not _TAXON.fullmatch(first):
        return _UNPARSABLE
    parents = [_with_genus(side.replace(" (", " "), first) for side in sides]
    names = [parse_name(parent).canonical for parent in parents]
    canonical = " × ".join(filter(None, names)) if all(names) else None
    is_shared = all(parent.split(" ")[0] == first for parent in parents)
    return ParsedName(None, NameKind.HYBRID, canonical, _genus(first) if is_shared else None)


def _with_genus(side: str, genus: str) -> str:
    """A parent with its genus in full, where “petraea” and “Q. petraea” leave it to the first."""
    first, _, rest = side.partition(" ")
    if first.capitalize() == genus:
        return f"{genus} {rest}".strip()
    if side[0].islower():
        return f"{genus} {side}"
    return f"{genus} {rest}" if _ABBREVIATED.fullmatch(first) and genus.startswith(first[:-1]) else side


def _qualified(name: str) -> ParsedName | None:
    """Names in open nomenclature: “sp.”, “cf.”, “?” and their like."""
    name = re.sub(r"(?<=\d)\?+", "", _AGGREGATE.sub(" agg.", name))
    words = name.split(" ")
    at = next((place for place, word in enumerate(words) if _is_mark(words, place, word)), None)
    if at is None:
        return _questioned(name) if "?" in name else None
    head, tail = words[:at], words[at + 1 :]
    core = _mark(words[at])
    is_doubt = core in _DOUBTS or core == "ex"
    qualifier = " ".join(words[at : at + 1 + (core == "ex")]).strip("()[]") if is_doubt else " ".join(words[at:])
    if not head:
        return _supposed(tail[0] if tail else "", qualifier)
    if "?" not in name and _has_epithet(head):
        below = bool(tail) and is_doubt and (tail[0][0].islower() or _core(head[-1]) in _RANK_MARKS)
        below = below or _core(head[-1]) in _RANK_MARKS or core in _RANK_MARKS or _is_new(words[at:])
        claimed = parse_name(" ".join(head[:-1] if _core(head[-1]) in _RANK_MARKS else head))
        if below and claimed.species:
            return replace(claimed, qualifier=qualifier)
    # Before “sp.” and “cf.” stands a genus; before “gen.” and “indet.” it need not.
    is_genus = (is_doubt or core in _SPECIES_OPEN | _RANK_MARKS | _NEW) and "gen" not in map(_core, words[at:])
    return _supposed(head[0], qualifier, is_genus=is_genus)


def _is_mark(words: Sequence[str], at: int, word: str) -> bool:
    core = _mark(word)
    if core in _NEW:
        return _mark("".join(words[at + 1 : at + 2])) in _OPEN
    if core == "ex":
        return _mark("".join(words[at + 1 : at + 2])) == "gr"
    return core in _DOUBTS or (at > 0 and core in _OPEN) or (at == 1 and core in _RANK_MARKS)


def _mark(word: str) -> str:
    """The mark that a word is, “sp” for “sp.” or “sp1”; capitals make none."""
    core = word.strip(".,:?!()[]'\"")
    match = _NUMBERED.fullmatch(core)
    return match[1] if match else core


def _is_new(words: Sequence[str]) -> bool:
    """Whether “sp. nov.” or “n. sp.” stands here: behind a binomial it announces the species."""
    return len(words) > 1 and bool({_core(word) for word in words[:2]} & _NEW)


def _questioned(name: str) -> ParsedName | None:
    first = name.split(" ")[0]
    bare = clean(re.sub(r"[(\[]?\?+[)\]]?", " ", name))
    return _supposed((bare or "").split(" ")[0], "?", is_genus="?" not in first)


def _supposed(word: str, qualifier: str, *, is_genus: bool = False) -> ParsedName:
    """A name that stops at its first word; what follows is not claimed."""
    if not _TAXON.fullmatch(bare := word.strip("?,:")):
        return _UNPARSABLE
    genus = _genus(bare) if is_genus and "?" not in word else None
    rank = "genus" if genus else None
    return ParsedName(None, NameKind.INFORMAL, bare, genus, qualifier=qualifier, rank=rank)


def _genus(word: str) -> str | None:
    """The word if it can be a genus where no epithet proves it."""
    return word if _TAXON.fullmatch(word) and not _is_higher(word) and not word.endswith(_SELDOM_GENUS) else None


def _is_higher(word: str) -> bool:
    return word in _HIGHER or word.endswith(_NEVER_GENUS)


def _has_epithet(words: Sequence[str]) -> bool:
    """Whether anything but a subgenus and authors follows the first word."""
    return any(word[:1].islower() and word.rstrip(".") not in _AUTHOR_WORDS for word in words[1:])


# ---- the parser ----


def _parsed(name: str) -> ParsedName | None:
    import nameparser

    try:
        found = nameparser.parse(name)
    except nameparser.UnparsableNameError as error:
        kind = _KINDS.get(error.name_type, NameKind.UNPARSABLE)
        return ParsedName(None, NameKind.VIRUS if error.code == "VIRUS" else kind)
    except BaseException as error:
        # A panic of the native code derives from BaseException and has no importable name.
        if type(error).__name__ != "PanicException":
            raise
        return None
    if isinstance(found, nameparser.Informal):
        return _supposed(found.taxon, clean(found.phrase) or "", is_genus=found.taxon_rank == "GENUS")
    return _checked(name, found)


_KINDS = {"PLACEHOLDER": NameKind.PLACEHOLDER, "IDENTIFIER": NameKind.CODE}


def _checked(name: str, found: "nameparser.ParsedName") -> ParsedName | None:
    """What the parser found, None where it took something else for a part of a name."""
    canonical = clean((found.canonical_name_without_authorship() or "").replace('"', ""))
    authorship = clean(found.authorship_complete())
    if found.code == "VIRUS":
        return ParsedName(None, NameKind.VIRUS, canonical, authorship=authorship)
    genus, epithet, below = found.genus, found.specific_epithet, found.infraspecific_epithet
    if genus and epithet and _ABBREVIATED.fullmatch(genus):
        return ParsedName(None, NameKind.INFORMAL, canonical, authorship=authorship)
    if not _is_sound(found, authorship):
        return None
    if genus and _is_higher(genus):
        return _supposed(genus, name.partition(" ")[2])
    if found.notho and not epithet and "SPECIFIC" in found.notho:
        return ParsedName(None, NameKind.HYBRID, canonical, _genus(canonical or ""))
    if genus and not epithet and found.infrageneric_epithet and found.rank == "INFRAGENERIC_NAME":
        canonical = f"{genus} ({found.infrageneric_epithet})"
    rank = None if found.rank in _UNSAID_RANKS else found.rank.split("_BOT")[0].split("_ZOO")[0]
    qualifier = _said_with(name, found)
    if genus and epithet and found.type == "INFORMAL":  # the doubt is below the species: “Abies alba var.”
        canonical, below, rank = f"{genus} {epithet}", None, "species"
    return ParsedName(
        None,
        NameKind.HYBRID if found.notho else NameKind.SCIENTIFIC,
        canonical,
        genus,
        epithet,
        below,
        authorship,
        qualifier,
        rank.lower().replace("_", " ") if rank else None,
    )


def _is_sound(found: "nameparser.ParsedName", authorship: str | None) -> bool:
    """Whether every part is what it is said to be: no rest, no second name as author, no words as epithets."""
    taxa = [word for word in (found.uninomial, found.genus, found.infrageneric_epithet) if word]
    epithets = [word for word in (found.specific_epithet, found.infraspecific_epithet) if word]
    return (
        found.state == "COMPLETE"
        and found.rank != "INFRASUBSPECIFIC_NAME"  # four words without marks of rank: a sentence
        and not (found.epithet_qualifier or found.unparsed)
        and not (found.notho and "INFRASPECIFIC" in found.notho and not found.infraspecific_epithet)
        and bool(found.uninomial or found.genus)
        and all(_TAXON.fullmatch(word) and word.lower() not in _NOT_EPITHETS for word in taxa)
        and all(_EPITHET.fullmatch(word) and word not in _NOT_EPITHETS for word in epithets)
        and _AUTHOR_WORDS.issuperset(_LOWER_WORD.findall(authorship or ""))
    )


def _said_with(name: str, found: "nameparser.ParsedName") -> str | None:
    """The qualifier of a name that is claimed: “agg.”, “s.l.”, or a strain's label."""
    if found.rank == "SPECIES_AGGREGATE":
        match = _AGGREGATE.search(name)
        return match[1] if match else None
    if found.type == "INFORMAL":
        return clean(found.phrase) or name.rpartition(" ")[2]
    return clean(found.taxonomic_note)


_UNPARSABLE = ParsedName(None, NameKind.UNPARSABLE)
_AS_WRITTEN: tuple[_Reader, ...] = (_placeholder, _code, _virus, _several)
_AS_NAME: tuple[_Reader, ...] = (_formula, _qualified, _parsed)
