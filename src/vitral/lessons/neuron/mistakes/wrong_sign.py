import math


def neuron(x, w, b):
    z = sum(each * weight for each, weight in zip(x, w, strict=True)) + b
    return 1 / (1 + math.exp(z))
