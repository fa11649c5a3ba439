"""Threads for slow work: two lanes, fair turns, and nothing computed that no request waits for."""
