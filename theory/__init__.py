"""Exact mathematics: every statement of the paper, derived on its own, compared with what is printed, and given a verdict."""
