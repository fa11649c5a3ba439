def heavy_ball(w, v, gradient, rate, beta):
    return [w - rate * v, beta * v + gradient]
