"""The documentation as a site: pages of the checkout, and others made from docstrings, commands and cards."""
