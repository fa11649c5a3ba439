"""The models that one Studio offers."""
