"""Widgets of the terminal UI. They ask for what they show by messages, and know no catalogue."""
