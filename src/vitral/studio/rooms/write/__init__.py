"""The Write room: a model continues a text, token by token, as the page requests it."""
