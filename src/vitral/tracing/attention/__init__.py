"""What a trace keeps of one attention, and how any cell of its pattern is computed exactly."""
