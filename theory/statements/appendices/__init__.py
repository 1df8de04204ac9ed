"""Statements of the paper: Appendices A to F."""
