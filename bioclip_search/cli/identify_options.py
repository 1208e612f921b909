"""What `identify` is asked for: options that go together, or a sentence that says why they do not."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioclip_search.errors import UsageError
from bioclip_search.identification import MethodName, Settings
from bioclip_search.taxonomy import Rank

__all__ = ["PYBIOCLIP", "Asked"]

PYBIOCLIP = "pybioclip"
_UNIDENTIFIED = "unidentified"
_LIMIT, _CONFIDENCE = 5, 0.8


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one call, None where one was not given; they go together."""

    photos: tuple[Path, ...]
    taxon: tuple[str, ...]
    taxa: Path | None
    text_embeddings: Path | None
    method: str | None
    neighbours: int | None
    rank: str | None
    confidence: float | None
    limit: int | None
    temperature: float | None
    calibrate: bool
    labels: str | None
    bins: Path | None
    save: bool
    model: str | None
    catalogue: Path | None
    device: str
    dtype: str
    format_: str
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", self._settings())
        for first, second, why in self._contradictions():
            if first and second:
                raise UsageError(f"{why}.")
        if not (self.photos or self.of_catalogue or self.calibrate):
            raise UsageError("Name photos or folders to identify, or give --taxon unidentified.")

    def _contradictions(self) -> list[tuple[Any, Any, str]]:
        ranks = self.rank or self.confidence is not None or self.neighbours or self.save or self.calibrate
        chosen = self.taxa or self.text_embeddings or self.within
        return [
            (self.labels, self.bins, "--bins brings labels of its own; leave --labels out"),
            (
                self.is_labels,
                ranks or chosen or self.way is not MethodName.ZERO_SHOT,
                "Labels of your own have no ranks and no taxa; give with --labels or --bins only photos, -k, "
                "--temperature and --format",
            ),
            (
                self.neighbours,
                self.way is not MethodName.NEIGHBOURS,
                "--neighbours is how many of them vote; give --method neighbours with it",
            ),
            (
                self.format_ == PYBIOCLIP,
                self.confidence is not None or self.save,
                "pybioclip's columns hold no answers; take another --format with --confidence or --save",
            ),
            (
                self.calibrate,
                chosen or self.temperature is not None,
                "--calibrate fits a temperature on all taxa of the catalogue; leave out --taxon, --taxa, "
                "--text-embeddings and --temperature",
            ),
            (
                self.photos,
                self.of_catalogue,
                "--taxon unidentified takes photos of the catalogue; leave the other photos out",
            ),
        ]

    @property
    def way(self) -> MethodName:
        return MethodName(self.method or "zero-shot")

    @property
    def is_labels(self) -> bool:
        return self.labels is not None or self.bins is not None

    @property
    def of_catalogue(self) -> bool:
        return _UNIDENTIFIED in self.taxon

    @property
    def within(self) -> tuple[str, ...]:
        return tuple(name for name in self.taxon if name != _UNIDENTIFIED)

    @property
    def needs_catalogue(self) -> bool:
        has_taxa = self.is_labels or self.taxa or self.text_embeddings
        compares_photos = self.way is not MethodName.ZERO_SHOT
        return not has_taxa or compares_photos or self.of_catalogue or self.save or self.calibrate

    def _settings(self) -> Settings:
        return Settings(
            rank=Rank(self.rank or "species"),
            confidence=_CONFIDENCE if self.confidence is None else self.confidence,
            limit=self.limit or _LIMIT,
            temperature=1.0 if self.temperature is None else self.temperature,
        )
