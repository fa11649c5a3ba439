"""Generation: from a prompt to more text, one token at a time."""
