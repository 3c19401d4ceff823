"""One file for each family: how it is simulated, as `SIMULATOR`."""
