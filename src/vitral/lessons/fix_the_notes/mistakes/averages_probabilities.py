import math


def perplexity(log_probs):
    return len(log_probs) / sum(math.exp(each) for each in log_probs)
