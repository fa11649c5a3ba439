"""Traces for the page: stored, described, and read in blocks."""
