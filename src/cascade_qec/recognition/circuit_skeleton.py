"""Which check, and when, each detector of a circuit is, from the regions of the circuit that it watches.

The detecting region of a detector is, at every moment, the Pauli operator whose errors it would notice. Between two
rounds that operator is the check itself: its data qubits are the check's support, whatever the detector's number,
coordinates and place in the record are. While a round extracts the check, part of the support is missing; so the
largest set of data qubits that a region ever covers is the support, and the moments when it does are the slice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import stim

from cascade_qec.codes.css import Basis
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.probe import is_annotation, perfect, uncertain
from cascade_qec.recognition.skeleton import Skeleton

_PAULI: dict[int, Basis] = {1: "X", 3: "Z"}


@dataclass(frozen=True)
class _Watch:
    """What a detector watches while it covers most: data qubits and the moments (first, last)."""

    support: frozenset[int]
    first: int
    last: int


def circuit_skeleton(circuit: stim.Circuit) -> Skeleton:
    """Read off the checks of a memory experiment.

    Parameters
    ----------
    circuit
        Any circuit that extracts checks with ancilla qubits or measures them as products, round after round, and at the
        end measures its data qubits, each for the first time.

    Raises
    ------
    CascadeError
        If a detector is not certain without noise, watches no data qubit, or the rounds cannot be told apart.
    """
    if not circuit.num_detectors:
        raise CascadeError("expected a circuit with detectors, got one without any")
    plain = perfect(circuit)
    data = _data_qubits(plain)
    cut = _with_cuts(plain)
    try:
        regions = cut.detecting_regions()
    except ValueError as error:
        raise uncertain(error) from error
    number = {qubit: i for i, qubit in enumerate(data)}
    watches: list[_Watch] = []
    for detector in range(circuit.num_detectors):
        region = regions.get(stim.target_relative_detector_id(detector), {})
        watch = _watch({tick: _covered(pauli, number) for tick, pauli in region.items()})
        if watch is None:
            raise CascadeError(f"detector D{detector} watches no data qubit; expected it to watch a check of the code")
        watches.append(watch)
    check, supports = _checks(watches)
    time, rounds, middle = _slices(watches, check)
    primary = np.isin(np.arange(len(supports)), check[(time == 0) | (time == rounds)])
    own = [d for d in np.flatnonzero(time == middle) if primary[check[d]]]
    found = [
        _pauli_types(regions[stim.target_relative_detector_id(int(d))], watches[d].first, watches[d].last, number)
        for d in own
    ]
    check = np.where(_doubles(check, time), -1, check)
    matrix = np.zeros((len(supports), len(data)), dtype=np.uint8)
    for row, support in zip(matrix, supports, strict=True):
        row[list(support)] = 1
    return Skeleton(rounds, check, time, matrix, primary, _basis(found))


def _data_qubits(circuit: stim.Circuit) -> list[int]:
    """Qubits measured once, all the others being measured again and again."""
    measured: Counter[int] = Counter()
    order: list[int] = []
    coupled: set[int] = set()
    for instruction in circuit:
        data = stim.gate_data(instruction.name)
        qubits = [
            t.value for t in instruction.targets_copy() if not t.is_combiner and not t.is_measurement_record_target
        ]
        if data.is_two_qubit_gate or instruction.name in ("MPP", "SPP", "SPP_DAG"):
            coupled.update(qubits)
        elif data.produces_measurements and data.is_single_qubit_gate:
            measured.update(qubits)
            order += qubits
    once = [qubit for qubit in order if measured[qubit] == 1 and qubit in coupled]
    if any(count > 1 for count in measured.values()):
        return once
    # One round: ancillas, too, are measured once, but their outcomes are detectors by themselves, or none.
    return _read_out_last(circuit, once)


def _read_out_last(circuit: stim.Circuit, once: list[int]) -> list[int]:
    """Qubits whose outcome detectors use, but only together with others."""
    of_record: list[int] = []
    alone: set[int] = set()
    used: set[int] = set()
    for instruction in circuit:
        data = stim.gate_data(instruction.name)
        if data.produces_measurements and data.is_single_qubit_gate:
            of_record += [t.value for t in instruction.targets_copy()]
        elif instruction.name == "DETECTOR":
            qubits = [of_record[t.value] for t in instruction.targets_copy()]
            used.update(qubits)
            if len(qubits) == 1:
                alone.update(qubits)
    return [qubit for qubit in once if qubit in used - alone]


def _with_cuts(circuit: stim.Circuit) -> stim.Circuit:
    """The circuit with a TICK wherever it turns from one kind of operation to another, and nowhere else.

    Kinds are gates on pairs, gates on one qubit, and resets and measurements.
    """
    cut = stim.Circuit()
    before = None
    for instruction in circuit:
        if instruction.name == "TICK":
            continue
        data = stim.gate_data(instruction.name)
        if not is_annotation(instruction.name):
            kind = (data.is_unitary, data.is_two_qubit_gate)
            # Products measured one by one are each a round of their own.
            if kind != before or instruction.name == "MPP":
                cut.append("TICK", [])
            before = kind
        cut.append(instruction)
    return cut


def _covered(pauli: stim.PauliString, number: dict[int, int]) -> frozenset[int]:
    return frozenset(number[q] for q in pauli.pauli_indices() if q in number)


def _watch(covered: dict[int, frozenset[int]]) -> _Watch | None:
    most = max(map(len, covered.values()), default=0)
    if most == 0:
        return None
    ticks = [tick for tick in sorted(covered) if len(covered[tick]) == most]
    support = covered[ticks[0]]
    return _Watch(support, ticks[0], max(tick for tick in ticks if covered[tick] == support))


def _checks(watches: list[_Watch]) -> tuple[np.ndarray, list[frozenset[int]]]:
    """Detectors with one support are one check: int64 [detectors], and the supports."""
    numbers: dict[frozenset[int], int] = {}
    check = np.array([numbers.setdefault(watch.support, len(numbers)) for watch in watches], dtype=np.int64)
    return check, list(numbers)


def _slices(watches: list[_Watch], check: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Slice of each detector, int64 [detectors], the number of rounds, and a slice amid them.

    The check with most detectors is the clock; a detector belongs to the slice that its moments are nearest to.
    """
    moments = np.array([(watch.first, watch.last) for watch in watches])
    per_check: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for c, moment in zip(check.tolist(), moments.tolist(), strict=True):
        per_check[c].add(tuple(moment))
    clock = np.array(sorted(max(per_check.values(), key=len)))
    if len(clock) < 2:
        raise CascadeError("expected at least one round of syndrome extraction, got checks that are measured once only")
    distance = np.abs(moments[:, None].sum(axis=2) - clock[None].sum(axis=2))
    time = distance.argmin(axis=1)
    return time, len(clock) - 1, len(clock) // 2


def _doubles(check: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Detectors that say again what one before them says: bool [detectors]."""
    keys = np.stack([check, time], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    return ~np.isin(np.arange(len(keys)), first)


def _pauli_types(
    region: dict[int, stim.PauliString], first: int, last: int, number: dict[int, int]
) -> list[frozenset[int]]:
    """Kinds of Pauli operator on the data qubits at each moment while the whole support is covered."""
    return [
        frozenset(region[tick][q] for q in region[tick].pauli_indices() if q in number)
        for tick in sorted(region)
        if first <= tick <= last
    ]


def _basis(found: list[list[frozenset[int]]]) -> Basis | None:
    """The basis of the experiment's own checks, if at some moment between two rounds all are of one kind."""
    if not found or len({len(moments) for moments in found}) != 1:
        return None
    for moment in zip(*found, strict=True):
        kinds = frozenset().union(*moment)
        if len(kinds) == 1:
            return _PAULI.get(next(iter(kinds)))
    return None
