def neuron(x, w, b):
    z = sum(each * weight for each, weight in zip(x, w, strict=True)) + b
    return 1 if z > 0 else 0
