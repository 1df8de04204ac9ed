"""`python -m theory check`: the calculus of Lemmas 4 and 5 on a loss of one's own.

From a loss, its symbols and a ball (`problem`) to the attack (`search`, polished by `newton`), its
conditions, derivative and constants (`analysis`, `lemmas`), and a report as text or JSON (`report`, `text`,
`command`).
"""

from __future__ import annotations

from theory.own_loss.analysis import check_loss
from theory.own_loss.text import LossReport

__all__ = ["LossReport", "check_loss"]
