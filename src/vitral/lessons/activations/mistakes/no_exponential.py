def softmax(z):
    return [each / sum(z) for each in z]
