"""What a step does with a minibatch: attacks, TRADES, AWP, and the statistics of batch norm meanwhile."""
