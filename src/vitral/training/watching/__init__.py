"""Watchers of a run: terminal, TensorBoard, a watched sentence."""
