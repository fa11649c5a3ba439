import math


def softmax(z):
    return [math.exp(each - max(z)) for each in z]
