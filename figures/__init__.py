"""Everything rendered: the paper's Figures 1 to 7 and what this project adds to them, drawn, never computed.

Values come from `theory`, `numerics` and the records of `training`. `python -m figures` writes every figure as PDF and
PNG, with a JSON file of all its parameters and errors, and the page results/figures/README.md that shows them.
"""
