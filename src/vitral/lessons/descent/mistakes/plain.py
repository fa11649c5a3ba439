def heavy_ball(w, v, gradient, rate, beta):
    return [w - rate * gradient, v]
