"""Small pictures of large patterns: pooled maps, regions, and what a mask leaves out of them."""
