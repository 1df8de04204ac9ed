"""The experiments of the paper's Tables 1-3 in torch: `run.py` trains and renders them, every part works by itself.

Parts for a loop of one's own: `entropy_sgd.EntropySGD`, `awp.AdversarialWeights`, `attacks.pgd` and `trades_attack`,
`batch_norm`, `models`, `data`, `evaluation`; `examples/drop_in.py` puts them together. Nothing of the project outside
`training` is imported here.
"""
