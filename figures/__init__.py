"""Everything rendered: the paper's Figures 1, 2, 4 and 5 and what this project adds to them, drawn, never computed.

Values come from `theory`, `numerics` and the records of `training`. `python -m figures` writes every figure as PDF and
PNG, with a JSON file of all its parameters and errors, and the page results/figures/README.md that shows them.
"""
