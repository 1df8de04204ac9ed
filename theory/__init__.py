"""Exact mathematics: every statement of the paper derived on its own, compared with the print, and judged."""
