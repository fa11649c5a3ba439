def slopes(local, residual):
    found = []
    passed = 1.0
    for each in reversed(local):
        passed *= each + 1 if residual else each
        found.insert(0, passed)
    return found
