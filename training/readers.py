"""What the processes that read photos for a run would tell by tracebacks and warnings, in our own words."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from bioclip_search.errors import UsageError

__all__ = ["readers_watched"]


@contextmanager
def readers_watched() -> Iterator[None]:
    """Raises UsageError when one of them is ended from outside; how many there are is the recipe's affair.

    PyTorch raises RuntimeError for it, wherever the training is at that moment.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        try:
            yield
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise UsageError(
                "A process that reads photos was ended from outside, most likely because the memory is full; lower "
                "data.workers in the recipe, and give the same command with --resume."
            ) from error
