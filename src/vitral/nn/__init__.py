"""The parts of a Transformer, one idea per file, each readable alone from top to bottom."""
