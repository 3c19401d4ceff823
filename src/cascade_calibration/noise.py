"""From a device to the noise of its memory experiments: where calibration meets the decoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cascade_calibration.devices import Device, Qubit
from cascade_calibration.devices.placement import placed
from cascade_qec.circuits import NoiseModel
from cascade_qec.codes import BASES, CSSCode
from cascade_qec.errors import CascadeError


def twirled_idling(time: float, t1: float, t2: float) -> tuple[float, float, float]:
    """Probabilities of X, Y and Z on a qubit that waits, whose relaxation and dephasing are Pauli-twirled.

    As in Tomita and Svore, "Low-distance surface codes under realistic quantum noise", PRA 90, 062320 (2014). A T2
    above 2 T1, as only chance gives, counts as 2 T1.

    Examples
    --------
    >>> x, y, z = twirled_idling(1e-6, 70e-6, 90e-6)
    >>> print(f"{x:.2e} {y:.2e} {z:.2e}")
    3.55e-03 3.55e-03 1.98e-03
    """
    relaxed, dephased = -math.expm1(-time / t1), -math.expm1(-time / min(t2, 2 * t1))
    return relaxed / 4, relaxed / 4, max(0.0, dephased / 2 - relaxed / 4)


def device_noise(device: Device, code: CSSCode, layout: Sequence[str] | None = None) -> NoiseModel:
    """The noise of a code's memory experiments on a device, for `cascade_qec.circuits.memory`.

    Gates, CZ and H, depolarize with 3/2 of a qubit's average error and 5/4 of a pair's: (d + 1) / d in d dimensions.
    Qubits that wait relax and dephase for as long as the layer takes, see `twirled_idling`.

    Parameters
    ----------
    device
    code
        A member of `cascade_qec.codes` whose order of CNOTs is known.
    layout
        The device's qubit for each of the code's: data, X ancillas, Z ancillas, each in code order. The best place is
        looked for if it is None.

    Raises
    ------
    CascadeError
        If the code does not fit on the device, or the layout names other qubits, or pairs that have no gate.
    """
    pairs = code_pairs(code)
    names = list(layout) if layout is not None else placed(pairs, device)
    size = code.n + len(code.hx) + len(code.hz)
    if len(set(names)) != size or len(names) != size or not device.qubits.keys() >= set(names):
        raise CascadeError(f"expected {size} different qubits of {device.name} for {code.name}, got {', '.join(names)}")
    gates = {pair: device.pair_error(names[pair[0]], names[pair[1]]) for pair in pairs}
    if lacking := [pair for pair, error in gates.items() if error is None]:
        a, b = lacking[0]
        raise CascadeError(f"expected pairs of {device.name} with a gate, got {names[a]} and {names[b]}")
    times = device.times

    def each(value: Callable[[Qubit], float]) -> dict[int, float]:
        return {number: value(device.qubits[name]) for number, name in enumerate(names)}

    def idle(time: float) -> dict[int, tuple[float, float, float]]:
        qubits = enumerate(device.qubits[name] for name in names)
        return {number: twirled_idling(max(0.0, time), qubit.t1, qubit.t2) for number, qubit in qubits}

    return NoiseModel(
        name=device.name,
        native="CZ",
        two_qubit={pair: min(5 / 4 * error, 15 / 16) for pair, error in gates.items() if error is not None},
        single_qubit=each(lambda qubit: min(3 / 2 * qubit.gate_error, 3 / 4)),
        idle=idle(times.two_qubit),
        idle_during_single_qubit=idle(times.single_qubit),
        # on top of what qubits idle in a layer of gates
        idle_during_measurement=idle(times.readout - times.two_qubit),
        idle_during_reset=idle(times.reset - times.two_qubit),
        reset=each(lambda qubit: qubit.reset_error),
        measurement=each(lambda qubit: qubit.readout_error),
    )


def code_pairs(code: CSSCode) -> list[tuple[int, int]]:
    """Pairs of qubits with a gate in a code's memory experiments: ancilla and data, numbered as `memory` does."""
    found: list[tuple[int, int]] = []
    ancilla = code.n
    for basis in BASES:
        for row in code.neighbours(basis).tolist():
            found += [(ancilla, data) for data in row if data >= 0]
            ancilla += 1
    return found
