"""Made-up devices, and what becomes of them over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cascade_calibration.devices.device import Device, Qubit, Times

_MOST = 0.4
"""Errors above this are no drift, but an element that has failed."""


def grid_device(size: int, seed: int) -> Device:
    """A square grid of superconducting qubits, each as good as another by chance, as Cirq names them: "row_column"."""
    rng = np.random.default_rng(seed)
    places = [(row, column) for row in range(size) for column in range(size)]
    figures = rng.uniform([5e-5, 6e-5, 5e-4, 5e-3, 1e-3], [9e-5, 9e-5, 1e-3, 1.5e-2, 3e-3], (len(places), 5)).tolist()
    qubits = {
        f"{row}_{column}": Qubit(t1=t1, t2=t2, gate_error=gate, readout_error=readout, reset_error=reset)
        for (row, column), (t1, t2, gate, readout, reset) in zip(places, figures, strict=True)
    }
    pairs = {
        (f"{row}_{column}", other): float(rng.uniform(2e-3, 5e-3))
        for row, column in places
        for other in (f"{row + 1}_{column}", f"{row}_{column + 1}")
        if other in qubits
    }
    times = Times(single_qubit=25e-9, two_qubit=42e-9, readout=600e-9, reset=160e-9)
    return Device(f"grid of {size} by {size}", qubits, pairs, times)


def drifted(device: Device, factor: float, seed: int, *, share: float = 0.2) -> Device:
    """The same device later: some of its T1 and T2, readouts and gates are worse by a factor, the others as they were.

    As when two-level systems wander into a qubit's frequency.
    """
    rng = np.random.default_rng(seed)

    def worse() -> float:
        return factor if rng.random() < share else 1.0

    def later(qubit: Qubit) -> Qubit:
        shorter = worse()
        readout = min(_MOST, qubit.readout_error * worse())
        return replace(qubit, t1=qubit.t1 / shorter, t2=qubit.t2 / shorter, readout_error=readout)

    qubits = {name: later(qubit) for name, qubit in device.qubits.items()}
    pairs = {pair: min(_MOST, error * worse()) for pair, error in device.pairs.items()}
    return Device(device.name, qubits, pairs, device.times)
