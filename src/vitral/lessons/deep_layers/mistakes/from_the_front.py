def slopes(local, residual):
    found = [1.0]
    for each in local[1:]:
        found.append(found[-1] * (each + 1 if residual else each))
    return found
