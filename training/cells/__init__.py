"""What the cells of the tables are: recipes, the readings of a cell, the printed numbers, the learning rate."""
