"""Every error a user can meet, each one clear sentence that carries its remedy.

BioclipSearchError
├── PhotoError                 one file; reported and skipped while indexing
│   ├── UnreadablePhoto        damaged, truncated, not permitted
│   │   └── VanishedPhoto      the file is not there any more
│   ├── UnsupportedPhoto       not a picture that can be decoded here
│   └── PhotoTooLarge          more pixels than can be decoded safely
├── ModelError
│   ├── ModelUnavailable       weights are neither cached nor reachable
│   ├── InvalidModel           the files are there but are not a usable model
│   └── ModelMismatch          the catalogue was built with another model
├── CatalogueError
│   ├── CatalogueNotFound
│   ├── CatalogueDamaged
│   └── CatalogueTooNew        written by a newer version of this program
├── RecordError                a metadata file that cannot be used
│   └── ShardError             a folder of training shards that cannot be used
├── QueryError
│   └── UnknownTaxon
└── UsageError                 options that contradict each other, paths that are not there

The command line prints the sentence on stderr and exits with `exit_code`.
"""

from collections.abc import Sequence

__all__ = [
    "BioclipSearchError",
    "CatalogueDamaged",
    "CatalogueError",
    "CatalogueNotFound",
    "CatalogueTooNew",
    "InvalidModel",
    "ModelError",
    "ModelMismatch",
    "ModelUnavailable",
    "PhotoError",
    "PhotoTooLarge",
    "QueryError",
    "RecordError",
    "ShardError",
    "UnknownTaxon",
    "UnreadablePhoto",
    "UnsupportedPhoto",
    "UsageError",
    "VanishedPhoto",
]


class BioclipSearchError(Exception):
    """Base of all errors raised on purpose; its text is meant for the user."""

    exit_code = 2


class PhotoError(BioclipSearchError):
    """One photo cannot be used; the others can."""


class UnreadablePhoto(PhotoError):
    """The file is damaged, truncated or may not be read."""


class VanishedPhoto(UnreadablePhoto):
    """The file is not where it was."""


class UnsupportedPhoto(PhotoError):
    """The file is no picture, or of a format that cannot be decoded here."""


class PhotoTooLarge(PhotoError):
    """Decoding the picture would need more memory than is safe."""


class ModelError(BioclipSearchError):
    """A model cannot be loaded or used."""


class ModelUnavailable(ModelError):
    """The weights are neither on this computer nor can they be downloaded."""


class InvalidModel(ModelError):
    """The files of a model are there, but they are not a usable model."""


class ModelMismatch(ModelError):
    """The catalogue was built with another model than the one asked for."""


class CatalogueError(BioclipSearchError):
    """The catalogue cannot be used."""


class CatalogueNotFound(CatalogueError):
    """There is no catalogue at the given place."""


class CatalogueDamaged(CatalogueError):
    """The folder holds a catalogue whose files cannot be read."""


class CatalogueTooNew(CatalogueError):
    """The catalogue was written by a newer version of this program."""


class RecordError(BioclipSearchError):
    """A file of specimen records cannot be used."""


class ShardError(RecordError):
    """A folder of training shards is incomplete, damaged, or none."""


class QueryError(BioclipSearchError):
    """A query cannot be answered as it stands."""


class UnknownTaxon(QueryError):
    """No photo in the catalogue carries the taxon; `suggestions` are near names that some do."""

    def __init__(self, name: str, suggestions: Sequence[str] = ()) -> None:
        self.name = name
        self.suggestions = tuple(suggestions)
        if self.suggestions:
            remedy = f"Did you mean {' or '.join(self.suggestions)}?"
        else:
            remedy = "`bioclip-search taxa` lists the taxa that are there."
        super().__init__(f"No photo in the catalogue belongs to the taxon “{name}”. {remedy}")


class UsageError(BioclipSearchError):
    """The command was called with options or paths that cannot be used together."""
