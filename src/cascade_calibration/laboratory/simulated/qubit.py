"""What a simulated laboratory hides: its qubits, their drift, and what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cascade_calibration.simulation.readout import log_uniform

BROKEN: Mapping[str, str] = {
    "readout": "the readout line is dead",
    "drive": "no drive reaches the qubit",
    "resonator": "the resonator is far from where it was designed",
    "qubit": "the qubit is far from where it was designed",
    "lossy": "the qubit relaxes within a pulse or two",
}
"""Elements that may be broken, and what that means."""

_FAR = 0.6e9
_SPACING = {"resonator": 60e6, "qubit": 170e6}
_DAY = 86400.0
# By how much parameters wander: there and back, of half a period of hours; and in a day, for good.
_WANDER = {"resonator": 2e4, "frequency": 2e3, "pi_amplitude": 0.01, "t1": 0.1, "t2": 0.1, "t2_star": 0.1}
_PER_DAY = {"resonator": 1e5, "frequency": 6e4, "pi_amplitude": 0.06, "t1": 0.1, "t2": 0.1, "t2_star": 0.1}
_RELATIVE = ("pi_amplitude", "t1", "t2", "t2_star")


@dataclass(frozen=True)
class Qubit:
    """A transmon and its resonator, as they are at one moment.

    Attributes
    ----------
    resonator, width, circle
        With the qubit in its ground state, in Hz; what the resonance takes from the line's transmission, complex.
    shift
        Of the resonator with the qubit excited, in Hz.
    frequency, anharmonicity, line, saturating
        In Hz, as is the width of the line without power; the amplitude that widens it by sqrt(2), in V.
    pi_amplitude
        Of a pulse of the usual length, in V.
    t1, t2, t2_star
        In s; T2 is that of echoes.
    error
        Of a Clifford gate whose pulses are right.
    thermal, decays
        Population before any pulse; probability to decay during the readout.
    noise
        Of a single shot, in the units of the line's transmission.
    drive_leak, readout_leak
        Of a drive at this qubit to its neighbours, and of a neighbour's population into its readout.
    driven
        Whether the drive reaches it.
    """

    resonator: float
    width: float
    circle: complex
    shift: float
    frequency: float
    anharmonicity: float
    line: float
    saturating: float
    pi_amplitude: float
    t1: float
    t2: float
    t2_star: float
    error: float
    thermal: float
    decays: float
    noise: float
    drive_leak: float
    readout_leak: float
    driven: bool = True


@dataclass(frozen=True)
class Drifting:
    """A qubit whose parameters are functions of the laboratory's time.

    Attributes
    ----------
    designed : resonator and qubit frequency in Hz
    slopes, waves
        By parameter: change in a day; amplitude, period in s and phase of what comes back.
    """

    designed: tuple[float, float]
    start: Qubit
    slopes: Mapping[str, float] = field(default_factory=dict)
    waves: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def at(self, clock: float) -> Qubit:
        """The qubit at a time in s."""
        changed = {}
        for name, slope in self.slopes.items():
            size, period, phase = self.waves[name]
            change = slope * clock / _DAY + size * (np.sin(2 * np.pi * clock / period + phase) - np.sin(phase))
            before = getattr(self.start, name)
            # what cannot turn negative changes by a factor
            changed[name] = before * float(np.exp(change)) if name in _RELATIVE else before + float(change)
        return replace(self.start, **changed)


def draw(rng: np.random.Generator, place: int, broken: str = "") -> Drifting:
    """A qubit with the parameters of a usual chip; `place` is its number there, `broken` one of :data:`BROKEN`."""
    designed = 7.0e9 + place * _SPACING["resonator"], 4.7e9 + place % 4 * _SPACING["qubit"]
    width, t1 = log_uniform(rng, 4e5, 1.5e6), log_uniform(rng, 1.5e-5, 1.2e-4)
    t2 = t1 * rng.uniform(0.6, 1.6)
    circle = rng.uniform(0.4, 0.85) * (1 + 1j * np.tan(rng.uniform(-0.4, 0.4)))
    shift = -width * rng.uniform(0.4, 1.0)
    contrast = abs(circle * (1 - 1 / (1 - 2j * shift / width)))
    qubit = Qubit(
        resonator=designed[0] + rng.uniform(-6e6, 6e6),
        width=width,
        circle=complex(circle),
        shift=shift,
        frequency=designed[1] + rng.uniform(-5e7, 5e7),
        anharmonicity=-rng.uniform(1.9e8, 2.4e8),
        line=log_uniform(rng, 3e5, 1e6),
        saturating=log_uniform(rng, 5e-3, 2e-2),
        pi_amplitude=log_uniform(rng, 0.08, 0.4),
        t1=t1,
        t2=t2,
        t2_star=t2 * rng.uniform(0.3, 0.9),
        error=log_uniform(rng, 5e-4, 4e-3),
        thermal=rng.uniform(0.005, 0.04),
        decays=rng.uniform(0.01, 0.06),
        noise=contrast / rng.uniform(2.5, 4.5),
        drive_leak=rng.uniform(0.02, 0.1),
        readout_leak=rng.uniform(0.01, 0.08),
    )
    slopes = {name: size * rng.uniform(-1, 1) for name, size in _PER_DAY.items()}
    waves = {
        name: (size * rng.uniform(0.3, 1), _DAY * rng.uniform(0.25, 0.75), rng.uniform(0, 2 * np.pi))
        for name, size in _WANDER.items()
    }
    if broken:
        changes: dict[str, object] = {
            "readout": {"circle": 0j},
            "drive": {"driven": False},
            "resonator": {"resonator": qubit.resonator - _FAR},
            "qubit": {"frequency": qubit.frequency - _FAR},
            "lossy": {"t1": 1e-7, "t2": 1e-7, "t2_star": 1e-7, "error": 0.2, "line": 1e7},
        }[broken]
        qubit = replace(qubit, **changes)
    return Drifting(designed, qubit, slopes, waves)
