"""The Write room: a text that a model writes on, token by token, as the page asks for it."""
