"""What a trace takes: a forecast, a budget, and a file for what does not fit."""
