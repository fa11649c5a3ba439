"""What decides a run: recipes, their files, their mistakes, and the dial that writes one."""
