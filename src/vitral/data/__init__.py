"""From files of text to cleaned, split and packed batches."""
