"""Taking a trace along, and bringing one back: the page in a file, and files that are opened."""
