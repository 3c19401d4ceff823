"""The experiments of the simulated laboratory, and what their signals are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.clouds import assignment_fidelity
from cascade_calibration.laboratory.parameters import Experiment, Parameter, sweep
from cascade_calibration.laboratory.simulated.qubit import Qubit
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.physics import Array, decay, driven_line, pulsed, resonance, single_shots

Values = Mapping[str, float]

PULSE = 4e-8
"""Length of a pulse in s."""
_CYCLE = 3e-4
"""From one shot to the next, without delays; the qubit relaxes meanwhile."""
_CABLE = 4.2e-8
_TWO_PHOTON = 300.0
"""Power at which the two-photon line is as high as the other at its usual one."""

_SHOTS = Parameter("shots", "shots of each point", "", 50, 20_000, 500, whole=True)
_READOUT = Parameter("readout_frequency", "of the readout tone", "Hz", 6e9, 8e9)
_PULSES = (
    Parameter("qubit_frequency", "of the drive", "Hz", 3e9, 6e9),
    Parameter("pi_amplitude", "of a pi pulse", "V", 0.0, 1.0),
)
_OFFSET = Parameter("offset", "by which the second pulse's phase turns, per second of delay", "Hz", 0.0, 2e7, 0.0)
_DELAYS = sweep("delay", "time between pulses", "s", 0.0, 2e-3, most=601, default=(0.0, 1e-4))
_LENGTHS = sweep("length", "Clifford gates", "", 0.0, 20_000, most=201, default=(0.0, 1000.0))


@dataclass(frozen=True)
class Kind:
    """An experiment, and how the simulation answers it.

    Attributes
    ----------
    population
        Of the excited state of a qubit, against the axis; None where the readout itself is what is measured.
    """

    experiment: Experiment
    population: Callable[[Qubit, Array, Values], Array] | None = None


def _flip(qubit: Qubit, values: Values, share: float = 1.0) -> float:
    """Population after a pulse that is meant to be a share of a pi pulse."""
    if not qubit.driven:
        return 0.0
    turns = share * values["pi_amplitude"] / (2 * qubit.pi_amplitude)
    return float(pulsed(turns, (qubit.frequency - values["qubit_frequency"]) * PULSE))


def _spectroscopy(qubit: Qubit, f: Array, values: Values) -> Array:
    power = qubit.driven * (values["drive_amplitude"] / qubit.saturating) ** 2
    double = qubit.frequency + qubit.anharmonicity / 2
    first = driven_line(f, qubit.frequency, qubit.line, power)
    return (first + driven_line(f, double, qubit.line / 2, (power / _TWO_PHOTON) ** 2)) / 2


def _rabi(qubit: Qubit, amplitude: Array, values: Values) -> Array:
    if not qubit.driven:
        return np.zeros_like(amplitude)
    return pulsed(amplitude / (2 * qubit.pi_amplitude), (qubit.frequency - values["qubit_frequency"]) * PULSE)


def _t1(qubit: Qubit, delay: Array, values: Values) -> Array:
    return _flip(qubit, values) * decay(delay, qubit.t1)


def _ramsey(qubit: Qubit, delay: Array, values: Values) -> Array:
    half = _flip(qubit, values, 0.5)
    turns = (values["offset"] + qubit.frequency - values["qubit_frequency"]) * delay
    return 2 * half * (1 - half) * (1 + np.cos(2 * np.pi * turns) * decay(delay, qubit.t2_star))


def _echo(qubit: Qubit, delay: Array, values: Values) -> Array:
    half = _flip(qubit, values, 0.5)
    return 2 * half * (1 - half) * (1 - _flip(qubit, values) * decay(delay, qubit.t2))


def _rb(qubit: Qubit, length: Array, values: Values) -> Array:
    driven = (_flip(qubit, values) > 0) / 2
    return driven * (1 - (1 - 2 * clifford_error(qubit, values)) ** length)


def clifford_error(qubit: Qubit, values: Values) -> float:
    """Of a gate whose pulses are as long, strong and tuned as the settings say; half at most."""
    angle = np.pi * (values["pi_amplitude"] / qubit.pi_amplitude - 1)
    phase = 2 * np.pi * (values["qubit_frequency"] - qubit.frequency) * PULSE
    return float(min(0.5, qubit.error + (angle**2 + phase**2) / 6))


def _kind(
    name: str,
    about: str,
    family: str,
    parameters: tuple[Parameter, ...],
    axis: str = "",
    population: Callable[[Qubit, Array, Values], Array] | None = None,
) -> Kind:
    return Kind(Experiment(name, about, family, parameters, (axis,) if axis else ()), population)


_GATES = (_READOUT, *_PULSES, _SHOTS)
KINDS = {
    one.experiment.name: one
    for one in (
        _kind(
            "resonator",
            "transmission of the readout line",
            "res_spec",
            (*sweep("frequency", "readout tone", "Hz", 6e9, 8e9, most=1601), _SHOTS),
            "frequency",
        ),
        _kind(
            "spectroscopy",
            "response to a long drive against its frequency",
            "qubit_spectroscopy",
            (
                *sweep("frequency", "drive", "Hz", 3e9, 6e9, most=1201),
                Parameter("drive_amplitude", "of the drive", "V", 0.0, 0.2, 0.01),
                _READOUT,
                _SHOTS,
            ),
            "frequency",
            _spectroscopy,
        ),
        _kind(
            "rabi",
            "population after a pulse against its amplitude",
            "rabi",
            (*sweep("amplitude", "pulse", "V", 0.0, 1.0, most=401), _READOUT, _PULSES[0], _SHOTS),
            "amplitude",
            _rabi,
        ),
        _kind(
            "ramsey_frequency",
            "fringes against the delay, for the qubit's frequency",
            "ramsey_freq_cal",
            (*_DELAYS, _OFFSET, *_GATES),
            "delay",
            _ramsey,
        ),
        _kind(
            "ramsey",
            "fringes against the delay, for T2*",
            "ramsey_t2star",
            (*_DELAYS, _OFFSET, *_GATES),
            "delay",
            _ramsey,
        ),
        _kind("t1", "relaxation after a pi pulse", "t1", (*_DELAYS, *_GATES), "delay", _t1),
        _kind("echo", "coherence after an echo", "echo", (*_DELAYS, *_GATES), "delay", _echo),
        _kind("readout", "single shots of both states", "gmm", _GATES),
        _kind("rb", "randomized benchmarking", "rb", (*_LENGTHS, *_GATES), "length", _rb),
    )
}


def seconds(experiment: str, values: Values) -> float:
    """How long a run takes, in the laboratory's time."""
    points = next((values[name] for name in values if name.endswith("_points")), 2.0)
    return points * values["shots"] * (_CYCLE + values.get("delay_to", 0.0))


def pointers(qubit: Qubit, f: Array | float) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Transmission of the line at a frequency with the qubit in its ground and its excited state."""
    f = np.asarray(f, dtype=np.float64)
    line = np.exp(-2j * np.pi * f * _CABLE)
    centres = (qubit.resonator, qubit.resonator + qubit.shift)
    ground, excited = (line * (1 - qubit.circle * resonance(f, centre, qubit.width)) for centre in centres)
    return ground, excited


def measured(
    experiment: str, target: str, qubits: Mapping[str, Qubit], values: Values, rng: np.random.Generator
) -> Measurement:
    """What an experiment on one of the qubits gives."""
    kind, qubit = KINDS[experiment], qubits[target]
    named = {"family": kind.experiment.family, "name": experiment, "target": target}
    if experiment == "readout":
        return _clouds(qubit, values, rng, named)
    (axis,) = kind.experiment.axes
    x = np.linspace(values[f"{axis}_from"], values[f"{axis}_to"], int(values[f"{axis}_points"]))
    if axis == "length":
        x = np.unique(np.round(x))
    shots = int(values["shots"])
    if kind.population is None:  # all resonators hang on one line
        signal = np.exp(-2j * np.pi * x * _CABLE)
        for one in qubits.values():
            signal = signal * (1 - one.circle * resonance(x, one.resonator, one.width))
    else:
        population = _seen(kind.population, target, qubits, x, values)
        ground, excited = pointers(qubit, values["readout_frequency"])
        signal = ground + (excited - ground) * rng.binomial(shots, population) / shots
    blur = qubit.noise / np.sqrt(shots)
    signal = signal + blur * (rng.standard_normal(len(x)) + 1j * rng.standard_normal(len(x)))
    unit = kind.experiment[f"{axis}_from"].unit
    return Measurement.of({axis: (x, unit)}, {"signal": (signal, "V")}, **named)


def _seen(
    population: Callable[[Qubit, Array, Values], Array],
    target: str,
    qubits: Mapping[str, Qubit],
    x: Array,
    values: Values,
) -> Array:
    """With thermal excitation, and with what a drive that leaks does to the neighbours, as far as it is read."""
    qubit = qubits[target]
    found = qubit.thermal + (1 - 2 * qubit.thermal) * population(qubit, x, values)
    if "drive_amplitude" in values:
        leaked = {**values, "drive_amplitude": qubit.drive_leak * values["drive_amplitude"]}
        for name, other in qubits.items():
            if name != target:
                found = found + qubit.readout_leak * population(other, x, leaked)
    return np.clip(found, 0.0, 1.0)


def _prepared(qubit: Qubit, values: Values) -> NDArray[np.float64]:
    """Populations before the readout, without and with a pi pulse."""
    flip = _flip(qubit, values)
    return np.array([qubit.thermal, qubit.thermal + (1 - 2 * qubit.thermal) * flip])


def _clouds(qubit: Qubit, values: Values, rng: np.random.Generator, named: dict[str, str]) -> Measurement:
    ground, excited = pointers(qubit, values["readout_frequency"])
    count = int(values["shots"])
    clouds = {}
    for name, population in zip(("ground", "excited"), _prepared(qubit, values), strict=True):
        at = single_shots(rng.random(count) < population, qubit.decays, complex(excited - ground), rng)
        blur = rng.standard_normal(count) + 1j * rng.standard_normal(count)
        clouds[name] = (complex(ground) + at + qubit.noise * blur, "V")
    return Measurement.of({}, clouds, **named)


def fidelity(qubit: Qubit, values: Values) -> float:
    """Of the assignment of single shots, with these settings."""
    ground, excited = pointers(qubit, values["readout_frequency"])
    p = _prepared(qubit, values)
    parts = np.stack([1 - p, p * (1 - qubit.decays), p * qubit.decays], axis=1)
    apart = abs(complex(excited - ground)) / qubit.noise
    return float(assignment_fidelity(np.array([apart]), np.ones(1), parts[None])[0])
