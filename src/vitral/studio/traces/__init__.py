"""Traces as the page sees them: kept, described, cut into blocks."""
