def neuron(x, w, b):
    return sum(each * weight for each, weight in zip(x, w, strict=True)) + b
