"""One file for each family: what it analyses, as `FAMILY`."""
