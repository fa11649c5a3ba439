def slopes(local, residual):
    found = [1.0]
    for each in reversed(local[1:]):
        found.insert(0, found[0] * each)
    return found
