"""The numbers behind the paper's figures: losses, attacks, EntropySGD's -F, measured Lipschitz constants.

Only numpy, scipy, jax, python-flint and `theory` are imported here.
"""
