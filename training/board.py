"""The metrics of a run for TensorBoard, beside metrics.jsonl, which holds the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bioclip_search.errors import UsageError

__all__ = ["Board"]


class Board:
    """Event files in a folder; without a folder nothing is written. Later events than `step` are taken back.

    Raises UsageError where the package tensorboard is not installed.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UsageError(
                "--tensorboard needs the package tensorboard; install it with "
                "`pip install 'bioclip-search[train]'`, or leave the option out: metrics.jsonl holds the same figures."
            ) from error
        self._writer = SummaryWriter(folder, purge_step=step + 1)

    def write(self, values: Mapping[str, Any]) -> None:
        """One scalar for each figure of a step."""
        if self._writer is not None:
            for name, value in values.items():
                if name != "step":
                    self._writer.add_scalar(name, value, values["step"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
