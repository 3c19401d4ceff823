"""Pages of the documentation: tables are filled from cards, checkpoints and results, pictures are drawn by commands."""
