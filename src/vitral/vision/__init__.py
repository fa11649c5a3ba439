"""Pictures: reading them safely, what a model's processor makes of them, which token is where."""
