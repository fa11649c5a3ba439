def perplexity(log_probs):
    return 2 ** (-sum(log_probs) / len(log_probs))
