"""The model of a catalogue: found, loaded when it is first needed, and never another one."""

from collections.abc import Callable
from functools import cache

from bioclip_search.catalogue import Catalogue
from bioclip_search.embedder import Embedder
from bioclip_search.models import locate_model

__all__ = ["model_loader"]


def model_loader(
    catalogue: Catalogue,
    model: str | None = None,
    *,
    for_text: bool = False,
    device: str = "auto",
    dtype: str = "auto",
) -> Callable[[], Embedder]:
    """What loads a catalogue's model when it is first called, or with `for_text` its model for texts.

    `model` says where that is now, if not where it was. One that was named is compared with the catalogue's here
    already: features of texts may be kept, so that it is never loaded. Raises ModelMismatch, QueryError without a
    model for texts, and what `locate_model` raises; what is returned raises these and what `Embedder.load` raises.
    """
    owner = catalogue.for_text if for_text else catalogue
    if model is not None:
        built_with = catalogue.for_text.require() if for_text else catalogue.fingerprint
        owner.require_model(locate_model(model).fingerprint(built_with.fit))

    @cache
    def load() -> Embedder:
        built_with = catalogue.for_text.require() if for_text else catalogue.fingerprint
        embedder = Embedder.load(model or built_with.model, device=device, dtype=dtype, fit=built_with.fit)
        owner.require_model(embedder.fingerprint)
        return embedder

    return load
