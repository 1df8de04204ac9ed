"""What is measured about training itself: speed, parity of the engines, landscapes, acceleration."""
