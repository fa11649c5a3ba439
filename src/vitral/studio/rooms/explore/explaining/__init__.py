"""Explaining a whole text: what heads do, where information goes, a word's path, predictions."""
