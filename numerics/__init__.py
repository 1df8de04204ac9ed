"""The numbers behind the paper's figures: losses, attacks, adversarial losses and Lipschitz estimates.

Only numpy, scipy, jax, python-flint and `theory` are imported here. The room is empty so far: the exact
side of every statement is in `theory`.
"""
