"""The function that the exercise asks for."""


def training_hours(weights, tokens, speed):
    """6 operations for each weight and token, at `speed` operations a second."""
    return 6 * weights * tokens / speed / 3600
