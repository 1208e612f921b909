"""The terminal application that browses a catalogue by taxon."""
