"""Painted specimens: museum-like photographs of real species, drawn by code, and a model trained on them."""
