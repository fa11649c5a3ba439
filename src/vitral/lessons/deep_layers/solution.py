"""The functions that the exercises ask for."""


def slopes(local, residual):
    """The slope that comes back to each layer's output; 1 at the last one."""
    found = [1.0]
    for each in reversed(local[1:]):
        found.insert(0, found[0] * (each + 1 if residual else each))
    return found
