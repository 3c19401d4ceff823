"""Measured speeds as rows."""

from __future__ import annotations

from cascade_qec.tables import Circumstances


class SpeedRow(Circumstances):
    """What every measured speed says of its circumstances.

    Attributes
    ----------
    recipe, variant : str
        What was run, and how it was written.
    device, precision : str
    threads : int
        CPU threads.
    """

    recipe: str
    variant: str
    device: str
    precision: str
    threads: int

    @property
    def place(self) -> tuple[object, ...]:
        """What a new measurement replaces in a file: everything measured of one recipe in one way of running it."""
        return self.recipe, self.device, self.precision, self.threads
