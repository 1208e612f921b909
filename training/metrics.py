"""What a run tells: a line of JSON a step for programs, a sentence now and then for people."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

__all__ = ["Clock", "Metrics", "Progress", "Silence"]

_SECONDS_BETWEEN_SENTENCES = 30.0


class Progress(Protocol):
    """Somewhere to tell how far the training is, in photos and in sentences."""

    def begin(self, total: int) -> None: ...

    def advance(self, photos: int) -> None: ...

    def say(self, line: str) -> None: ...


class Silence:
    """For the processes that do not speak."""

    def begin(self, total: int) -> None:
        pass

    def advance(self, photos: int) -> None:
        pass

    def say(self, line: str) -> None:
        pass


class Metrics:
    """RUN/metrics.jsonl; without a path nothing is written.

    Steps after `step`, which a run that was killed had written, are taken out.
    """

    def __init__(self, path: Path | None, step: int) -> None:
        self._stream: TextIO | None = None
        if path is None:
            return
        kept = [line for line in _lines(path) if line["step"] <= step]
        part = path.with_suffix(".part")
        part.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        part.replace(path)
        self._stream = path.open("a", encoding="utf-8")

    def write(self, values: Mapping[str, Any]) -> None:
        if self._stream is not None:
            self._stream.write(json.dumps(values) + "\n")
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines; the last may have been cut off."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines


class Clock:
    """Times of a step, and whether a sentence is due."""

    def __init__(self) -> None:
        self._mark = self._said = time.monotonic()
        self._waited = 0.0

    def data_came(self) -> None:
        """The batch is here; the time since the step before was waiting."""
        self._waited = time.monotonic() - self._mark

    def step_done(self, photos: int) -> dict[str, float]:
        """photos a second of this step, and the share of it that was waiting for data."""
        now = time.monotonic()
        took = max(now - self._mark, 1e-9)
        self._mark = now
        return {"samples_per_second": round(photos / took, 2), "data_wait": round(self._waited / took, 4)}

    def sentence_due(self) -> bool:
        if time.monotonic() - self._said < _SECONDS_BETWEEN_SENTENCES:
            return False
        self._said = time.monotonic()
        return True
