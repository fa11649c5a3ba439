def slopes(local, residual):
    return [*(each + 1 if residual else each for each in local[1:]), 1.0]
