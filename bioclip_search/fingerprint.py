"""What makes two embeddings comparable: architecture, preprocessing and weights."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bioclip_search.preprocessing import Fit

__all__ = ["Fingerprint", "without_place"]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The identity of a model as it was used, and the name that finds it again."""

    model: str
    architecture: str
    dim: int
    preprocessing: str
    weights_sha256: str

    def matches(self, other: "Fingerprint") -> bool:
        """Same architecture, preprocessing and weights; the name may differ."""
        return (self.architecture, self.preprocessing, self.weights_sha256) == (
            other.architecture,
            other.preprocessing,
            other.weights_sha256,
        )

    def same_texts(self, other: "Fingerprint") -> bool:
        """Same architecture and weights: texts have the same features, however photos are preprocessed."""
        return (self.architecture, self.weights_sha256) == (other.architecture, other.weights_sha256)

    def without_place(self) -> "Fingerprint":
        """The same, of a folder's name only, not its place on somebody's disk: for what is given away."""
        return replace(self, model=without_place(self.model))

    @property
    def fit(self) -> Fit:
        """How photos were fitted to the square."""
        return Fit(self.preprocessing.split("-", 1)[0])

    def __str__(self) -> str:
        return f"{self.model} ({self.architecture}, {self.fit}, weights {self.weights_sha256[:8]})"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Fingerprint":
        """Raises ValueError or TypeError for anything but what `to_json` writes."""
        return cls(**json.loads(text))


def without_place(model: str) -> str:
    """A model's name as it is, or the last part of an absolute path."""
    return Path(model).name if Path(model).is_absolute() else model
