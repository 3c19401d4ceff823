"""The faults that the page knows: what can happen in the circuit, how likely it is at any p, and what a reader puts in.

The page samples the circuit's own error model. A mechanism of that model joins all places in the circuit whose faults
flip the same detectors and observables. Under uniform noise these are of three kinds, and how many there are of each
gives the mechanism's probability at every strength p; see `probability`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.circuits import NoiseModel, UniformDepolarizing, memory
from cascade_qec.codes import Basis, CSSCode
from cascade_qec.error_models import Mechanisms, error_model

_STRENGTH = 1e-3
"""At which places are counted."""

_KINDS = (
    NoiseModel(reset=_STRENGTH, measurement=_STRENGTH),
    NoiseModel(idle=_STRENGTH, idle_during_measurement=_STRENGTH),
    NoiseModel(two_qubit=_STRENGTH),
)
"""What makes up uniform noise: flips, depolarised qubits, and depolarised pairs."""

PAULIS = "_XYZ"
"""Numbers of Paulis; a wrong measurement is one more."""

_MEASUREMENT = len(PAULIS)


def _shrinking(p: float) -> NDArray[np.float64]:
    """What a place of each kind multiplies 1 - 2 P(odd number of flips) by: float64 [kinds]."""
    return np.array([1 - 2 * p, (1 - 4 * p / 3) ** (1 / 2), (1 - 16 * p / 15) ** (1 / 8)])


def probability(count: NDArray[np.integer], p: float) -> NDArray[np.float64]:
    """How likely mechanisms are at a strength: float64 [mechanisms], from places of each kind, int [mechanisms, 3]."""
    return (1 - np.prod(_shrinking(p) ** count, axis=1)) / 2


@dataclass(frozen=True, eq=False)
class Flips:
    """What faults flip.

    Attributes
    ----------
    start : int32 [faults + 1]
        Fault f flips ``detector[start[f]:start[f + 1]]``.
    detector : int16 [entries]
    observables : uint16 [faults]
        Bit i says whether it flips observable i.
    """

    start: NDArray[np.int32]
    detector: NDArray[np.int16]
    observables: NDArray[np.uint16]

    @classmethod
    def of(cls, start: NDArray[np.int64], detector: NDArray[np.int64], observables: NDArray[np.uint8]) -> Flips:
        mask = observables.astype(np.int64) @ (1 << np.arange(observables.shape[1]))
        return cls(start.astype(np.int32), detector.astype(np.int16), mask.astype(np.uint16))


@dataclass(frozen=True, eq=False)
class Happening:
    """The mechanisms of uniform noise, each with one of the places in the circuit where it can come from.

    Attributes
    ----------
    flips : Flips
    count : uint8 [mechanisms, 3]
        Flips, depolarised qubits and depolarised pairs that do this.
    round : uint8 [mechanisms]
        The round to draw it in; `rounds` is the readout.
    step : uint8 [mechanisms]
        Layers of CNOTs of that round that have begun by then.
    qubit : int16 [mechanisms, 2]
        -1 for none.
    pauli : uint8 [mechanisms, 2]
        Number in `PAULIS`, and one more for a wrong measurement.
    """

    flips: Flips
    count: NDArray[np.uint8]
    round: NDArray[np.uint8]
    step: NDArray[np.uint8]
    qubit: NDArray[np.int16]
    pauli: NDArray[np.uint8]


def happening(code: CSSCode, rounds: int, basis: Basis) -> Happening:
    """All that can happen in a memory experiment under uniform noise, in the order of its error model."""
    circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(_STRENGTH))
    dem = error_model(circuit)
    mechanisms = Mechanisms.of(dem)
    shrunk = _shrinking(_STRENGTH)
    row = {symptom: number for number, symptom in enumerate(_symptoms(mechanisms))}
    count = np.zeros((len(row), len(_KINDS)), dtype=np.uint8)
    for kind, noise in enumerate(_KINDS):
        alone = Mechanisms.of(error_model(memory(code, rounds=rounds, basis=basis, noise=noise)))
        places = np.log1p(-2 * alone.probability) / np.log(shrunk[kind])
        count[[row[symptom] for symptom in _symptoms(alone)], kind] = np.rint(places)
    where = np.array([_place(each, code, rounds) for each in _explained(circuit, mechanisms, row)], dtype=np.int16)
    return Happening(
        flips=Flips.of(mechanisms.start, mechanisms.detector, mechanisms.observables),
        count=count,
        round=where[:, 0].astype(np.uint8),
        step=where[:, 1].astype(np.uint8),
        qubit=where[:, 2:4],
        pauli=where[:, 4:].astype(np.uint8),
    )


def put_in(code: CSSCode, rounds: int, basis: Basis) -> Flips:
    """What single faults flip that a reader puts in, in a circuit without noise.

    First X, then Z on a data qubit before the CNOTs of a round, or before the readout: [rounds + 1, qubits] each. Then
    a check's wrong measurement in a round: [rounds, checks], X checks before Z checks.
    """
    circuit = memory(code, rounds=rounds, basis=basis).flattened()
    n, checks, layers = code.n, len(code.hx) + len(code.hz), code.schedule.depth
    of_pauli, data = (rounds + 1) * n, np.arange(n)
    faults = 2 * of_pauli + rounds * checks
    simulator = stim.FlipSimulator(batch_size=faults, disable_stabilizer_randomization=True)
    cnots, measured = 0, np.zeros(n + checks, dtype=np.int64)

    def put(pauli: str, qubit: int, fault: int) -> None:
        simulator.set_pauli_flip(pauli, qubit_index=qubit, instance_index=fault)

    def put_on_data(at: int) -> None:
        for number, pauli in enumerate("XZ"):
            for qubit in data.tolist():
                put(pauli, qubit, number * of_pauli + at * n + qubit)

    for instruction in circuit:
        assert isinstance(instruction, stim.CircuitInstruction)  # loops are flattened
        if instruction.name == "CX":
            if cnots % layers == 0:
                put_on_data(cnots // layers)
            cnots += 1
        if instruction.name in ("M", "MX"):
            qubits = [target.value for target in instruction.targets_copy()]
            if qubits[0] < n:
                put_on_data(rounds)
            else:
                flip = "X" if instruction.name == "M" else "Z"
                for qubit in qubits:
                    put(flip, qubit, 2 * of_pauli + int(measured[qubit]) * checks + qubit - n)
            measured[qubits] += 1
        simulator.do(instruction)
    detector, fault = np.nonzero(simulator.get_detector_flips())
    order = np.lexsort((detector, fault))
    start = np.concatenate([[0], np.cumsum(np.bincount(fault, minlength=faults))])
    return Flips.of(start, detector[order], simulator.get_observable_flips().T.astype(np.uint8))


def _symptoms(mechanisms: Mechanisms) -> list[tuple[bytes, bytes]]:
    """What each mechanism flips, in a form that can be looked up."""
    ends = mechanisms.start.tolist()
    return [
        (mechanisms.detector[start:stop].tobytes(), observables.tobytes())
        for start, stop, observables in zip(ends[:-1], ends[1:], mechanisms.observables, strict=True)
    ]


def _explained(
    circuit: stim.Circuit, mechanisms: Mechanisms, row: dict[tuple[bytes, bytes], int]
) -> list[stim.CircuitErrorLocation]:
    """One place in the circuit for each mechanism, in their order."""
    found: dict[int, stim.CircuitErrorLocation] = {}
    k = mechanisms.observables.shape[1]
    for each in circuit.explain_detector_error_model_errors(reduce_to_one_representative_error=True):
        targets = [term.dem_target for term in each.dem_error_terms]
        detectors = np.array(sorted(t.val for t in targets if t.is_relative_detector_id()), dtype=np.int64)
        observables = np.zeros(k, dtype=np.uint8)
        observables[[t.val for t in targets if t.is_logical_observable_id()]] = 1
        found[row[detectors.tobytes(), observables.tobytes()]] = each.circuit_error_locations[0]
    return [found[number] for number in range(len(row))]


def _place(location: stim.CircuitErrorLocation, code: CSSCode, rounds: int) -> tuple[int, ...]:
    """Round, step, qubits and Paulis of a fault."""
    layers = code.schedule.depth
    # a tick follows the preparation, each layer, and what is measured and reset between rounds
    at, step = divmod(location.tick_offset - 1, layers + 1)
    step = min(step + 1, layers)
    if location.flipped_measurement is not None:
        targets = [target.gate_target for target in location.flipped_measurement.observable]
        qubits, paulis = [target.value for target in targets], [_MEASUREMENT]
    else:
        targets = [target.gate_target for target in location.flipped_pauli_product]
        qubits = [target.value for target in targets]
        paulis = [PAULIS.index(target.pauli_type) for target in targets]
    measured = paulis == [_MEASUREMENT]
    if location.tick_offset % (layers + 1) == 0 and not measured:  # what happens to qubits there, the next round sees
        at, step = location.tick_offset // (layers + 1), 0
    if measured and qubits[0] < code.n:
        at, step = rounds, 0
    absent = 2 - len(qubits)
    return at, step, *qubits, *[-1] * absent, *paulis, *[0] * absent
