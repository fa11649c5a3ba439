"""The parts of a Transformer, one idea a file, each readable alone from top to bottom."""
