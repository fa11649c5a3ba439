"""One step: optimisers, schedules, precision, gradients."""
