"""Statements of the paper: Section 4, EntropySGD."""
