def training_hours(weights, tokens, speed):
    return 6 * weights * tokens / speed
