import math


def softmax(z):
    raised = [math.exp(each) for each in z]
    return [each / sum(raised) for each in raised]
