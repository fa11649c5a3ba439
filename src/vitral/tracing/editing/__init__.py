"""Editing a model: changes to its attention and its values, made while it runs."""
