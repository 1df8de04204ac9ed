"""Figure 7: the adversarial loss around trained weights, `python -m training.studies.landscape`."""
