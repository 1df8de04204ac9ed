"""Statements of the paper: Section 3.1, binary linear classification."""
