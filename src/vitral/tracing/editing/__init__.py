"""Touching a model: orders on its attention and its values, carried out while it runs."""
