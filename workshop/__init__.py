"""What makes the project's models and figures. It imports the package; the package knows nothing of it."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
"""The checkout that this workshop belongs to."""

RESULTS = CHECKOUT / "benchmarks" / "results"
"""Tables that the studies write."""
