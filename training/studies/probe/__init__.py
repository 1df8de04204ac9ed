"""How smooth a net's adversarial loss is and why: `probe(model, x, y, epsilon=..., norm=...)` for any torch module."""

from training.studies.probe.probe import Probe, probe

__all__ = ["Probe", "probe"]
