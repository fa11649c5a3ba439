"""Traces from elsewhere and on disk."""
