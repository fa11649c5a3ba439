"""From texts to what a run reads, and the weights it starts from."""
