"""The process of the terminal UI, as the command sets it up: seen in a fresh interpreter."""

import subprocess
import sys

_GARBAGE = """
import gc
from tui import process
{before}
from rich.segment import Segment
from textual.strip import Strip
gc.collect()
gc.disable()
for _ in range(100):
    strip = Strip([Segment("abc"), Segment("def")], 6)
    assert [part.text for part in strip.divide([6])] == ["abcdef"]
    assert [part.text for part in strip.divide([2, 6])] == ["ab", "cdef"]
    assert [part.text for part in strip.divide([6, 9])] == ["abcdef"]
del strip
print(gc.collect() > 100)
"""

_UPKEEP = """
import gc, sys, time
from tui import process
process.set_up()
collected = []
gc.callbacks.append(lambda phase, info: collected.append(info["generation"]) if phase == "start" else None)
clock = [0.0]
time.monotonic = lambda: clock[0]
trimmed = []
process.in_thread = trimmed.append
upkeep = process.Upkeep()
told = []
for second, is_done in ((10, False), (11, True), (12, False), (13, False), (22, False), (24, False), (25, True)):
    clock[0] = second
    if is_done:
        upkeep.note()
    before = collected.count(2), len(trimmed)
    upkeep.look()
    told.append(f"{collected.count(2) - before[0]}{len(trimmed) - before[1]}")
print(*told)
"""


def _said(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def test_lines_of_the_screen_leave_no_garbage() -> None:
    """As Textual has it they do: where that changes, this need not be mended any more."""
    assert _said(_GARBAGE.format(before="")) == "True"
    assert _said(_GARBAGE.format(before="process.set_up()")) == "False"


def test_garbage_is_looked_for_in_a_pause_and_in_a_long_one() -> None:
    """Not while keys come, when memory is given back; and neither over and over while nobody is there."""
    assert _said(_UPKEEP) == "00 01 01 11 00 11 01"


def test_memory_of_arrow_goes_back_to_the_system() -> None:
    """Unless the environment says otherwise."""
    script = "import os\nfrom tui import process\nprocess.set_up()\nprint(os.environ['ARROW_DEFAULT_MEMORY_POOL'])\n"
    assert _said(script) == "system"
    assert _said(f"import os\nos.environ['ARROW_DEFAULT_MEMORY_POOL'] = 'mimalloc'\n{script}") == "mimalloc"
