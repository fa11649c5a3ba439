"""From a forward pass to a trace: the attention function, the walk over layers, the recorder."""
