"""What the two engines cost on the device at hand, `python -m training.studies.bench`."""
