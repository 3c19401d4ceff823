"""Questions that were asked once, each with the table that answers it: `python -m workshop.studies.NAME --help`."""
