"""Our two sets of colours: a dark drawer and a light sheet. No meaning hangs on red or green alone."""

from textual.theme import Theme

__all__ = ["DARK", "LIGHT", "theme_name"]

DARK = Theme(
    name="drawer",
    primary="#7fb2e5",
    secondary="#9d8fd1",
    accent="#e8b35a",
    warning="#e8b35a",
    error="#e58a7f",
    success="#7fc8a9",
    foreground="#d9dee7",
    background="#12161c",
    surface="#171c24",
    panel="#222935",
    dark=True,
    variables={
        "border": "#7fb2e5",
        "border-blurred": "#39424f",
        "input-cursor-background": "#e8b35a",
        "input-selection-background": "#7fb2e5 35%",
        "block-cursor-background": "#2b4a6b",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#2a313c",
        "scrollbar": "#39424f",
        "scrollbar-hover": "#566273",
        "scrollbar-active": "#7fb2e5",
        "scrollbar-background": "#171c24",
        "scrollbar-background-hover": "#171c24",
        "scrollbar-background-active": "#171c24",
        "scrollbar-corner-color": "#171c24",
        "quiet": "#8b96a6",
        "count": "#8fb6a2",
    },
)

LIGHT = Theme(
    name="sheet",
    primary="#1f5f99",
    secondary="#5b4a9c",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#a3382b",
    success="#1f6f4d",
    foreground="#20262e",
    background="#f3f1ec",
    surface="#fbfaf7",
    panel="#e5e1d8",
    dark=False,
    variables={
        "border": "#1f5f99",
        "border-blurred": "#c3bdb0",
        "input-cursor-background": "#9a5b00",
        "input-selection-background": "#1f5f99 25%",
        "block-cursor-background": "#c9dcef",
        "block-cursor-foreground": "#10161d",
        "block-cursor-blurred-background": "#e5e1d8",
        "scrollbar": "#c3bdb0",
        "scrollbar-hover": "#a39c8d",
        "scrollbar-active": "#1f5f99",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
        "quiet": "#6a6559",
        "count": "#2f6b4c",
    },
)


def theme_name(setting: str) -> str:
    """The name that Textual knows a setting's colours by: “dark” or “light”."""
    return (LIGHT if setting == "light" else DARK).name
