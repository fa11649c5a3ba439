"""What decides a run: recipes, their files, their mistakes, and the choice of one by time."""
