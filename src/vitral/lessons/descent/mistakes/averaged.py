def heavy_ball(w, v, gradient, rate, beta):
    v = beta * v + (1 - beta) * gradient
    return [w - rate * v, v]
