import math


def attention(q, keys, values):
    scores = [sum(a * b for a, b in zip(q, k, strict=True)) / len(q) for k in keys]
    raised = [math.exp(score - max(scores)) for score in scores]
    weights = [each / sum(raised) for each in raised]
    return [
        sum(w * v[i] for w, v in zip(weights, values, strict=True)) for i in range(len(values[0]))
    ]
