"""The words in which a text is put to the model.

BioCLIP was trained on captions of the form “a photo of X.” (Stevens et al. 2024, section 4);
a text that is asked in the same form lies nearer to the photos.
"""

__all__ = ["caption"]


def caption(text: str) -> str:
    """“monarch” -> “a photo of monarch.”; a text that speaks of a photo itself stays as it is."""
    if "photo" in text.casefold().split():
        return text
    return f"a photo of {text.rstrip('.')}."
