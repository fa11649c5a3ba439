"""Pictures that are sent to a model that reads pictures."""
