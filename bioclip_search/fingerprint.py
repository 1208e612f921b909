"""What makes two embeddings comparable: architecture, preprocessing and weights."""

import json
from dataclasses import asdict, dataclass

from bioclip_search.preprocessing import Fit

__all__ = ["Fingerprint"]


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
