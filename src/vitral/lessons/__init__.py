"""Lessons: text in two languages, figures that are computed, exercises that are checked.

A lesson is one folder below this one that holds a `lesson.yaml`; nothing else names it.
docs/lessons.md says how to write one.
"""
