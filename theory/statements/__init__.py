"""The statements of *Smoothness Analysis of Adversarial Training*, a folder a section; `paper.py` describes it."""
