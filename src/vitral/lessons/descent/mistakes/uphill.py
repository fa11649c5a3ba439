def heavy_ball(w, v, gradient, rate, beta):
    v = beta * v + gradient
    return [w + rate * v, v]
