"""The fitted temperatures of a catalogue: a small JSON file beside its tables, by method and model."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioclip_search.atomic import write_json
from bioclip_search.fingerprint import Fingerprint
from bioclip_search.identification.calibration import Calibration
from bioclip_search.identification.method import MethodName
from bioclip_search.identification.softmax import TEMPERATURES
from bioclip_search.storage import writing

__all__ = ["keep_calibration", "kept_temperature", "model_key"]

_FILE = "identification.json"


def model_key(fingerprint: Fingerprint) -> str:
    """What two models share whose embeddings can be compared: 16 hexadecimal digits."""
    parts = (fingerprint.architecture, fingerprint.preprocessing, fingerprint.weights_sha256)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def kept_temperature(folder: Path, method: MethodName, fingerprint: Fingerprint) -> float | None:
    """The temperature that was fitted for a method and a model, or None."""
    try:
        value = float(_read(folder)[method.value][model_key(fingerprint)]["temperature"])
    except (KeyError, TypeError, ValueError):
        return None
    lowest, highest = TEMPERATURES
    return value if lowest <= value <= highest else None


def keep_calibration(folder: Path, method: MethodName, fingerprint: Fingerprint, found: Calibration) -> None:
    """Remember a calibration in the place of an earlier one. Raises CatalogueError where it cannot be written."""
    with writing(folder):
        kept = _read(folder)
        of_method = kept.setdefault(method.value, {})
        fitted = datetime.now(UTC).isoformat(timespec="seconds")
        of_method[model_key(fingerprint)] = {"model": fingerprint.model, "fitted": fitted, **asdict(found)}
        write_json(folder / _FILE, kept, indent=2)


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    """What is kept; nothing where the file is not there or is damaged, for it can be fitted again."""
    try:
        kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and all(isinstance(part, dict) for part in kept.values()) else {}
