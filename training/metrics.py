"""What a run tells: a line of JSON a step for programs, a sentence now and then for people."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

from bioclip_search.atomic import replacing
from bioclip_search.errors import UsageError
from bioclip_search.text import printable

__all__ = ["Metrics", "Progress", "Silence", "Told", "read_metrics"]

_MOST_STEPS = 2**53  # float64, in which they are drawn, holds no more


class Progress(Protocol):
    """Somewhere to tell how far a long work is, in photos (or taxa) and in sentences."""

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

    Steps after `step`, which a run that was killed had written, are taken out. Raises UsageError where it cannot
    be written.
    """

    def __init__(self, path: Path | None, step: int) -> None:
        self._stream: TextIO | None = None
        if path is None:
            return
        kept = [line for line in read_metrics(path).lines if line["step"] <= step]
        with _told(path):
            with replacing(path) as stream:
                stream.writelines(_as_line(line) for line in kept)
            self._stream = path.open("a", encoding="utf-8")

    def write(self, values: Mapping[str, Any]) -> None:
        if self._stream is not None:
            with _told(Path(self._stream.name)):
                self._stream.write(_as_line(values))
                self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"The file {path} cannot be written ({error.strerror or error}); mend that and give the command again with "
            "--resume."
        ) from error


def _as_line(values: Mapping[str, Any]) -> str:
    """One line of JSON, which has no infinity: null stands for what is not finite."""
    told = {name: None if isinstance(one, float) and not math.isfinite(one) else one for name, one in values.items()}
    return json.dumps(told, allow_nan=False) + "\n"


@dataclass(frozen=True, slots=True)
class Told:
    """What a file of metrics tells: its steps in order, an object each, and how many lines are none."""

    lines: list[dict[str, Any]]
    skipped: int = 0


def read_metrics(path: Path) -> Told:
    """Read a file of metrics, which may not be there, or be written to: half a last line is no line yet.

    Raises UsageError when it cannot be read.
    """
    try:
        *written, last = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Told([])
    except OSError as error:
        raise UsageError(f"{printable(str(path))} cannot be read ({error.strerror}); check its rights.") from error
    found = [_step_of(line) for line in written if line.strip()]
    lines = [line for line in (*found, _step_of(last)) if line is not None]
    return Told(sorted(lines, key=lambda line: int(line["step"])), found.count(None))


def _step_of(line: bytes) -> dict[str, Any] | None:
    """The object of a line, None for what is no step of a run."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    step = values.get("step") if isinstance(values, dict) else None
    return values if isinstance(step, int) and 0 <= step < _MOST_STEPS else None
