"""The memory of a trace: a forecast, a budget, and a file for what does not fit."""
