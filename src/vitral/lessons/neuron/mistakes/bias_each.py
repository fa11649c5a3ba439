import math


def neuron(x, w, b):
    z = sum(each * weight + b for each, weight in zip(x, w, strict=True))
    return 1 / (1 + math.exp(-z))
