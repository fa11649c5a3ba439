"""Learner's code: run in a process of its own, and judged on what it returns."""
