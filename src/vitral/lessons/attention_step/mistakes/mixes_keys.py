import math


def attention(q, keys, values):
    scores = [sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(len(q)) for k in keys]
    raised = [math.exp(score - max(scores)) for score in scores]
    weights = [each / sum(raised) for each in raised]
    return [sum(w * k[i] for w, k in zip(weights, keys, strict=True)) for i in range(len(q))]
