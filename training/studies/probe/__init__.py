"""How smooth a net's adversarial loss is and why: `probe(model, x, y, epsilon=..., norm=...)` for any torch module, and
`python -m training.studies.probe` for the nets that `training/run.py` trained."""

from training.studies.probe.probe import Probe, probe

__all__ = ["Probe", "probe"]
