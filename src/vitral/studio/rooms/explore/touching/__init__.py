"""Touching a model from the page: a text is run with edits, and its prediction compared."""
