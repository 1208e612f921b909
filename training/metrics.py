"""What a run tells: a line of JSON a step for programs, a sentence now and then for people."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

from bioclip_search.atomic import replacing
from bioclip_search.errors import UsageError

__all__ = ["Metrics", "Progress", "Silence", "read_metrics"]


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

    Steps after `step`, which a run that was killed had written, are taken out. Raises UsageError where it cannot
    be written.
    """

    def __init__(self, path: Path | None, step: int) -> None:
        self._stream: TextIO | None = None
        if path is None:
            return
        kept = [line for line in read_metrics(path) if line["step"] <= step]
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


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of metrics, one a step; the last may have been cut off, the file may not be there."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines
