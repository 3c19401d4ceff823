"""Figures of the project's own studies, from their tables."""
