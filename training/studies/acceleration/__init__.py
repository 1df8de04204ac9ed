"""Sec. 5.2 says that EntropySGD accelerates the training: which readings of it do.

`python -m training.studies.acceleration`.
"""
