"""Small maps of large patterns: pooled maps, regions, and the share that a mask hides."""
