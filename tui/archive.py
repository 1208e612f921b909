"""What the screen asks of the catalogue: the only module of the terminal UI that speaks to the domain.

Every method blocks, may be called by several threads, and raises BioclipSearchError. lancedb and pyarrow are imported
when a catalogue is opened, torch and open_clip when a model must embed something.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING

from bioclip_search.branches import UNPLACED, Branch
from bioclip_search.errors import CatalogueError
from bioclip_search.query import Query
from bioclip_search.taxonomy import TaxonPath
from tui.results import Found, Listed, Results

if TYPE_CHECKING:
    from PIL import Image

    from bioclip_search.catalogue import Catalogue
    from bioclip_search.embedder import Embedder
    from bioclip_search.specimen import Photo

__all__ = ["UNPLACED", "Archive", "Branch"]


class Archive:
    """An open catalogue. Make one with `open`."""

    def __init__(
        self, catalogue: "Catalogue", model: str | None, model_for_text: str | None, device: str, dtype: str
    ) -> None:
        from bioclip_search.query import Searcher

        self.folder = catalogue.folder
        self.photos = catalogue.count()
        self.model = catalogue.fingerprint.model
        self._catalogue = catalogue
        self._names = {False: model, True: model_for_text}
        self._device = device
        self._dtype = dtype
        self._models: dict[bool, Embedder] = {}
        self._model_lock = RLock()
        self._search_lock = Lock()
        self._searcher = Searcher(catalogue, lambda: self._embedder(False), lambda: self._embedder(True))

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        model: str | None = None,
        model_for_text: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
    ) -> "Archive":
        """Open a catalogue. Raises CatalogueNotFound, CatalogueDamaged or CatalogueTooNew."""
        from bioclip_search.catalogue import Catalogue

        return cls(Catalogue.open(folder), model, model_for_text, device, dtype)

    # Taxa

    def children(self, path: TaxonPath = ()) -> list[Branch]:
        """The taxa next below a path, those with the most photos first; of the root () also what has no name."""
        return self._catalogue.branches().children(path)

    def branch(self, path: TaxonPath) -> Branch | None:
        """One taxon; None where no photo belongs to it."""
        return self._catalogue.branches().branch(path)

    def find_taxa(self, words: str, limit: int = 200) -> list[Branch]:
        """Taxa whose scientific or common name has the words in it, the best first."""
        return self._catalogue.branches().find(words, limit)

    # Queries

    def ask(self, query: Query) -> Results:
        """Answer a query; without parts and words in records it is a list of every photo that is meant."""
        began = time.perf_counter()
        if not query.parts and query.records is None:
            return Listed(self._searcher.listing(query), began)
        with self._search_lock:
            hits = self._searcher.search(query)
        return Found(hits, time.perf_counter() - began)

    def thumbnails(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The thumbnails of photos, JPEG of up to 256 pixels, by photo_id; b"" for a photo without one."""
        return self._catalogue.thumbnails(keys)

    # Photos

    def photo(self, key: str) -> "Photo":
        """The photo with this photo_id. Raises CatalogueError where it is not in the catalogue any more."""
        found = self._catalogue.photos_by_id([key])
        if key not in found:
            raise CatalogueError("The photo is not in the catalogue any more; press r to read the catalogue again.")
        return found[key]

    def picture(self, photo: "Photo", longest: int) -> "Image.Image":
        """The original, upright, reduced to at most `longest` pixels. Raises PhotoError where it cannot be read."""
        from bioclip_search.photo import open_photo

        image = open_photo(photo.file, longest).image
        image.thumbnail((longest, longest))
        return image

    # The model

    def problem(self) -> str | None:
        """Why text and photo search cannot work here, in one sentence; None where nothing is known to be wrong."""
        return None

    def model_ready(self) -> bool:
        """Whether the model has been loaded."""
        return False in self._models

    def warm(self) -> None:
        """Load the model now, in this thread. Raises what `Embedder.load` raises, and ModelMismatch."""
        self._embedder(False)

    def _embedder(self, for_text: bool) -> "Embedder":
        from bioclip_search.embedder import Embedder

        with self._model_lock:
            if for_text not in self._models:
                own = self._catalogue.for_text.require() if for_text else self._catalogue.fingerprint
                name = self._names[for_text] or own.model
                self._models[for_text] = Embedder.load(name, device=self._device, dtype=self._dtype, fit=own.fit)
            return self._models[for_text]
