"""Statements of the paper: Section 2, the preliminaries."""
