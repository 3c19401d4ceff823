"""What docs/results.md shows, measured anew: which tables are of older weights, and the commands that make them."""
