"""A lesson as a file of its own: a notebook, a marimo notebook, or a page that works offline."""
