"""Statements of the paper: Section 3.2, the general case."""
