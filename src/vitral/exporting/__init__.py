"""A model in the file formats of other programs."""
