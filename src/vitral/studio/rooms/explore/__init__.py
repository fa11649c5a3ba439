"""The Explore room: a text's attention, and everything that explains it."""
