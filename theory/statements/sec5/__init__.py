"""Statements of the paper: Section 5, the experiments."""
