"""The screens of the terminal application; each says what it shows and posts what it wants."""
