"""Whole models made of the parts in `vitral.nn`, and the Hugging Face format they live in."""
