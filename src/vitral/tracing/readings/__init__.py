"""Ways of reading a trace's weights: without resting tokens, by words, several heads as one."""
