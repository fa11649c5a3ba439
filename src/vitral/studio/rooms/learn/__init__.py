"""The Learn room: lessons with live figures, exercises that are checked, and what is done."""
