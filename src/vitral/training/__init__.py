"""From a recipe and a folder of texts to a trained model."""
