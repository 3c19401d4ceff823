"""Which check, and when, each detector of a circuit is, from the regions of the circuit that it watches.

The detecting region of a detector is, at every moment, the Pauli operator whose errors it would notice. Between two
rounds that operator is the check itself: its data qubits are the check's support, whatever the detector's number,
coordinates and place in the record are. While a round extracts the check, part of the support is missing; so all
data qubits that a region ever covers are the support, and the moments when it covers most of them are the slice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import stim
from scipy.optimize import linear_sum_assignment

from cascade_qec.codes.css import Basis
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.probe import is_annotation, perfect, uncertain
from cascade_qec.recognition.skeleton import Skeleton

_PAULI: dict[int, Basis] = {1: "X", 3: "Z"}

Region = dict[int, stim.PauliString]


@dataclass(frozen=True)
class _Watch:
    """The data qubits that a detector watches at any time, and the moments (first, last) when it watches most."""

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
        found = cut.detecting_regions()
    except ValueError as error:
        raise uncertain(error) from error
    number = {qubit: i for i, qubit in enumerate(data)}
    regions = [found.get(stim.target_relative_detector_id(d), {}) for d in range(circuit.num_detectors)]
    watches: list[_Watch] = []
    for detector, region in enumerate(regions):
        watch = _watch({tick: _covered(pauli, number) for tick, pauli in region.items()})
        if watch is None:
            raise CascadeError(f"detector D{detector} watches no data qubit; expected it to watch a check of the code")
        watches.append(watch)
    check, supports = _checks(watches)
    moments = _moments(watches, check)
    rounds = max(map(len, moments)) - 1
    if rounds < 1:
        raise CascadeError("expected at least one round of syndrome extraction, got checks that are measured once only")
    whole = np.array([len(own) > rounds for own in moments])
    primary = _primary(regions, check, whole, set(data))
    time = _slices(watches, check, moments, primary)
    middle = (rounds + 1) // 2
    own = [d for d in np.flatnonzero(time == middle) if primary[check[d]]]
    types = [_pauli_types(regions[d], watches[d].first, watches[d].last, number) for d in own]
    check = np.where(_doubles(check, time), -1, check)
    matrix = np.zeros((len(supports), len(data)), dtype=np.uint8)
    for row, support in zip(matrix, supports, strict=True):
        row[list(support)] = 1
    return Skeleton(rounds, check, time, matrix, primary, _basis(types))


def _data_qubits(circuit: Iterable[stim.CircuitInstruction]) -> list[int]:
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


def _read_out_last(circuit: Iterable[stim.CircuitInstruction], once: list[int]) -> list[int]:
    """Qubits whose outcome detectors use, but only together with others."""
    of_record: list[list[int]] = []
    alone: set[int] = set()
    used: set[int] = set()
    for instruction in circuit:
        data = stim.gate_data(instruction.name)
        if data.produces_measurements:
            for group in instruction.target_groups():
                of_record.append([target.value for target in group] if data.is_single_qubit_gate else [])
        elif instruction.name == "DETECTOR":
            outcomes = [of_record[target.value] for target in instruction.targets_copy()]
            used.update(*outcomes)
            if len(outcomes) == 1:
                alone.update(*outcomes)
    return [qubit for qubit in once if qubit in used - alone]


def _with_cuts(circuit: Iterable[stim.CircuitInstruction]) -> stim.Circuit:
    """The circuit with a TICK wherever it turns from one kind of operation to another, and nowhere else.

    Kinds are gates on pairs, gates on one qubit, measurements of products, and other measurements and resets.
    """
    cut = stim.Circuit()
    before = None
    for instruction in circuit:
        if instruction.name == "TICK":
            continue
        data = stim.gate_data(instruction.name)
        if not is_annotation(instruction.name):
            kind = (data.is_unitary, data.is_two_qubit_gate, instruction.name == "MPP")
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
    ticks = [tick for tick in covered if len(covered[tick]) == most]
    return _Watch(frozenset().union(*covered.values()), min(ticks), max(ticks))


def _checks(watches: list[_Watch]) -> tuple[np.ndarray, list[frozenset[int]]]:
    """Detectors with one support are one check: int64 [detectors], and the supports."""
    numbers: dict[frozenset[int], int] = {}
    check = np.array([numbers.setdefault(watch.support, len(numbers)) for watch in watches], dtype=np.int64)
    return check, list(numbers)


def _moments(watches: list[_Watch], check: np.ndarray) -> list[list[tuple[int, int]]]:
    """The different moments of each check's detectors, in order."""
    found: list[set[tuple[int, int]]] = [set() for _ in range(int(check.max()) + 1)]
    for c, watch in zip(check.tolist(), watches, strict=True):
        found[c].add((watch.first, watch.last))
    return [sorted(moments) for moments in found]


def _primary(regions: list[Region], check: np.ndarray, whole: np.ndarray, data: set[int]) -> np.ndarray:
    """Checks of the experiment's own basis: bool [checks].

    They are those with a detector in every slice (`whole`, bool [checks]), and those that, where they meet one of
    these, have the same Pauli operator on a data qubit at the same time.
    """
    known = {
        (tick, qubit): pauli[qubit]
        for region, c in zip(regions, check.tolist(), strict=True)
        if whole[c]
        for tick, pauli in region.items()
        for qubit in pauli.pauli_indices()
        if qubit in data
    }
    primary, decided = whole.copy(), whole.copy()
    for region, c in zip(regions, check.tolist(), strict=True):
        if decided[c]:
            continue
        for tick, pauli in region.items():
            met = [qubit for qubit in pauli.pauli_indices() if (tick, qubit) in known]
            if met:
                primary[c], decided[c] = pauli[met[0]] == known[tick, met[0]], True
                break
    return primary


def _slices(
    watches: list[_Watch], check: np.ndarray, moments: list[list[tuple[int, int]]], primary: np.ndarray
) -> np.ndarray:
    """Slice of each detector, int64 [detectors].

    A check with a detector in every slice is the clock. Of each check the detectors with different moments belong to
    different slices, those that their moments are nearest to by the sum of squares, which keeps their order; those of
    the other basis' checks not to the first and the last slice.
    """
    clock = np.array(max(moments, key=len)).sum(axis=1)
    slice_of: list[dict[tuple[int, int], int]] = []
    for own, of_basis in zip(moments, primary, strict=True):
        slices = np.arange(len(clock)) if of_basis else np.arange(1, len(clock) - 1)
        if len(own) > len(slices):
            raise CascadeError(
                f"expected two detectors more of a check of the experiment's basis than of others, got {len(clock)} "
                f"and {len(own)}: those that compare with the preparation or with the readout are missing"
            )
        distance = np.array(own).sum(axis=1)[:, None] - clock[slices]
        nearest = slices[linear_sum_assignment(distance**2)[1]]
        slice_of.append(dict(zip(own, nearest.tolist(), strict=True)))
    time = [slice_of[c][watch.first, watch.last] for c, watch in zip(check.tolist(), watches, strict=True)]
    return np.array(time, dtype=np.int64)


def _doubles(check: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Detectors that say again what one before them says: bool [detectors]."""
    keys = np.stack([check, time], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    return ~np.isin(np.arange(len(keys)), first)


def _pauli_types(region: Region, first: int, last: int, number: dict[int, int]) -> list[frozenset[int]]:
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
