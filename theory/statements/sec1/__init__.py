"""Statements of the paper: Section 1 and the abstract."""
