"""A run's folder: its lock, its checkpoints, its curve, and how it stops."""
