"""What decides a single fact: exact algebra, real arithmetic, ball arithmetic, vectors without coordinates."""
