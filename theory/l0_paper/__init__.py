"""The second paper: Zhong, Huang, Liu, arXiv 2502.21041. `paper.py` describes it."""
