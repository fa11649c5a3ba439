def training_hours(weights, tokens, speed):
    return 6 * weights / speed / 3600
