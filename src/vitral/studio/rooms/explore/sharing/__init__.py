"""Saving a trace as a page, and opening a trace's file."""
