"""One run from its start to its record: data and seeds in, checkpoints kept, accuracies measured."""
