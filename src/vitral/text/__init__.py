"""Text as numbers: tokenizers, trained through the `tokenizers` library."""
