def softmax(z):
    at = z.index(max(z))
    return [1.0 if place == at else 0.0 for place in range(len(z))]
