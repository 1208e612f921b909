"""How fast a training is: photos a second, the wait for data, the use of the device, the time that is left."""

import time
from collections import deque

__all__ = ["Clock", "duration"]

_SECONDS_BETWEEN_SENTENCES = 30.0
_STEPS_REMEMBERED = 100


class Clock:
    """Measures the steps of a run that trains on so many photos a step.

    `step_share` is what a step needs of the devices' arithmetic for one second, None if that is not known.
    """

    def __init__(self, photos: int, step_share: float | None = None) -> None:
        self._photos = photos
        self._step_share = step_share
        self._mark = self._said = time.monotonic()
        self._waited = 0.0
        self._ends = deque([self._mark], maxlen=_STEPS_REMEMBERED + 1)

    def data_came(self) -> None:
        """The batch is here; the time since the step before was waiting."""
        self._waited = time.monotonic() - self._mark

    def step_done(self, left: int) -> dict[str, float]:
        """Figures of this step, `mfu` only where it is known, and the seconds that `left` steps will take.

        These are told by the last hundred steps, evaluations and checkpoints between them included.
        """
        now = time.monotonic()
        took = max(now - self._mark, 1e-9)
        self._mark = now
        self._ends.append(now)
        mfu = {} if self._step_share is None else {"mfu": round(self._step_share / took, 4)}
        a_step = (now - self._ends[0]) / (len(self._ends) - 1)
        return {
            "samples_per_second": round(self._photos / took, 2),
            "data_wait": round(self._waited / took, 4),
            **mfu,
            "seconds_left": round(left * a_step, 1),
        }

    def go_on(self) -> None:
        """What was between this step and the next is no waiting for data."""
        self._mark = time.monotonic()

    def sentence_due(self) -> bool:
        if time.monotonic() - self._said < _SECONDS_BETWEEN_SENTENCES:
            return False
        self._said = time.monotonic()
        return True


def duration(seconds: float) -> str:
    """“45 s”, “12 min”, “3 h 5 min”, “2 d 4 h”."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
