"""From texts to a run's data, and its initial weights."""
