"""The experiments of the paper's Tables 1-3 in torch: `run.py` trains and renders them, every part works by itself.

Parts for a loop of one's own: `EntropySGD` from `training.entropy_sgd`; `AdversarialWeights`, `pgd`, `trades_attack`,
`trades_loss` and the batch-norm policies from `training.methods`; `training.models`, `training.data` and
`training.evaluation`. `examples/drop_in.py` puts them together, README.md beside this file shows the way through it.
Nothing of the project outside `training` is imported here.
"""
