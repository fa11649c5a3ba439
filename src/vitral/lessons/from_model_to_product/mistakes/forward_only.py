def training_hours(weights, tokens, speed):
    return 2 * weights * tokens / speed / 3600
