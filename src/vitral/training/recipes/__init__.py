"""Recipes: their definition, their files, their mistakes, and the choice of one by time."""
