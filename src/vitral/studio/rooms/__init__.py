"""The rooms of Studio, a folder each; registry.py lists them."""
