"""Results that the paper does not state, in its terms and proved by the same machinery."""
