"""What qubits and resonators do: the formulas that the simulators of families and the simulated laboratory share.

Arrays broadcast; populations are those of the excited state, between 0 and 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def resonance(f: Array, centre: Array | float, width: float) -> NDArray[np.complex128]:
    """Complex Lorentzian that is 1 in the middle; `width` is the full width at half of the power."""
    return np.asarray(1 / (1 + 2j * (f - centre) / width), dtype=np.complex128)


def lorentzian(halves: Array) -> Array:
    """A line of height 1 against the distance from its centre in half widths."""
    return 1 / (1 + halves**2)


def driven_line(f: Array, centre: Array | float, width: float, power: Array | float) -> Array:
    """A saturated line against frequency, 1 at most; `power` is in units of that which widens it by sqrt(2)."""
    return power / (1 + power) * lorentzian(2 * (f - centre) / (width * np.sqrt(1 + power)))


def flopping(drive: Array | float, detuning: Array | float) -> tuple[Array, Array]:
    """Turns of the Bloch vector by a pulse, and the largest population that they reach.

    Parameters
    ----------
    drive, detuning
        Turns by the drive alone, and detuning times the pulse's length.
    """
    turns = np.hypot(drive, detuning)
    return turns, drive**2 / np.maximum(turns**2, 1e-12)


def pulsed(drive: Array | float, detuning: Array | float) -> Array:
    """Population after a pulse on the ground state, see `flopping`."""
    turns, size = flopping(drive, detuning)
    return size * (1 - np.cos(2 * np.pi * turns)) / 2


def decay(delay: Array, time: float, exponent: float = 1.0) -> Array:
    """What is left after a delay."""
    return np.exp(-((delay / time) ** exponent))


def single_shots(
    excited: NDArray[np.bool_], decays: float, separation: complex, rng: np.random.Generator
) -> NDArray[np.complex128]:
    """Where the pointer of each shot stands, without noise: 0, `separation`, or between if the state decays.

    Parameters
    ----------
    excited : bool [shots]
    decays
        Probability to decay during the readout, at any time alike.
    """
    seen = np.where(rng.random(len(excited)) < decays, rng.random(len(excited)), 1.0) * excited
    return separation * seen
