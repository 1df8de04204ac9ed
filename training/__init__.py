"""The experiments of the paper's Tables 1-3: data, models, attacks, optimizers and evaluation in torch.

Nothing of the project outside `training` is imported here. The room is empty so far: no table has been run.
"""
