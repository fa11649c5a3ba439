"""Pictures: reading them safely, a model's image processor, and the position of each token."""
