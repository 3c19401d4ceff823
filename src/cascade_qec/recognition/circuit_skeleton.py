"""Which check, and when, each detector of a circuit is, from the regions of the circuit that it watches.

The detecting region of a detector is, at every moment, the Pauli operator whose errors it would notice. Between two
rounds that operator is the check itself: its data qubits are the check's support, whatever the detector's number,
coordinates and place in the record are. While a round extracts the check, part of the support is missing; so all
data qubits that a region ever covers are the support, and the moments when it covers most of them are the slice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import stim
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from cascade_qec.codes import Basis
from cascade_qec.error_models import refused
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.probe import is_annotation, perfect
from cascade_qec.recognition.skeleton import Skeleton

_PAULI: dict[int, Basis] = {1: "X", 3: "Z"}

Region = dict[int, stim.PauliString]


@dataclass(frozen=True)
class _Watch:
    """The data qubits that a detector watches at any time, and the moments (first, last) when it watches most."""

    support: frozenset[int]
    first: int
    last: int


@dataclass(frozen=True)
class _Record:
    """What is measured, and what detectors make of it.

    Attributes
    ----------
    qubits
        The qubit of each outcome, None for that of a product of several, -1 for one of no qubit, as a herald's is.
    detectors
        The outcomes of each detector: those that it names twice are none.
    coupled
        Qubits that gates on pairs, or measurements of products, touch; in this order.
    """

    qubits: list[int | None]
    detectors: list[list[int]]
    coupled: list[int]

    @classmethod
    def of(cls, circuit: Iterable[stim.CircuitInstruction]) -> _Record:
        qubits: list[int | None] = []
        detectors: list[list[int]] = []
        coupled: dict[int, None] = {}
        for instruction in circuit:
            name, data = instruction.name, stim.gate_data(instruction.name)
            targets = instruction.targets_copy()
            if name == "DETECTOR":
                named = Counter(len(qubits) + target.value for target in targets)
                detectors.append([outcome for outcome, times in named.items() if times % 2])
            elif data.is_two_qubit_gate or name in ("MPP", "SPP", "SPP_DAG"):
                coupled.update(
                    (t.value, None) for t in targets if not (t.is_combiner or t.is_measurement_record_target)
                )
            if data.produces_measurements:
                single = data.is_single_qubit_gate and name != "MPAD"
                other = -1 if name == "MPAD" else None
                qubits += [group[0].value if single else other for group in instruction.target_groups()]
        return cls(qubits, detectors, list(coupled))

    @property
    def heralds(self) -> list[bool]:
        """Whether each detector consists of outcomes of no qubit alone."""
        return [bool(own) and all(self.qubits[o] == -1 for o in own) for own in self.detectors]

    def read_out(self) -> list[int]:
        """Qubits that are read out once for the detectors, all others being measured again and again."""
        measured = Counter(qubit for qubit in self.qubits if qubit is not None)
        used = Counter(self.qubits[outcome] for outcome in set(chain(*self.detectors)))
        # A second readout that no detector looks at is none.
        times = {qubit: used[qubit] or count for qubit, count in measured.items()}
        # Of few rounds ancillas, too, may be used once, or never; then their outcomes are detectors by themselves.
        alone = {self.qubits[own[0]] for own in self.detectors if len(own) == 1}
        once = [qubit for qubit in self.coupled if times.get(qubit) == 1 and qubit not in alone]
        if any(count > 1 for count in times.values()):
            return once
        return [qubit for qubit in once if used[qubit]]

    def never_measured(self) -> list[int]:
        """Qubits of an experiment that compares all its checks, and its observables, with those of its preparation."""
        measured = set(self.qubits)
        return [qubit for qubit in self.coupled if qubit not in measured]


def circuit_skeleton(circuit: stim.Circuit) -> Skeleton:
    """Read off the checks of a memory experiment.

    Parameters
    ----------
    circuit
        Any circuit that extracts checks with ancilla qubits or measures them as products, round after round. It ends by
        measuring its data qubits, or, where it keeps both bases, by measuring all checks once more.

    Raises
    ------
    CascadeError
        If a detector is not certain without noise, watches no data qubit, or the rounds cannot be told apart.
    """
    if not circuit.num_detectors:
        raise CascadeError("expected a circuit with detectors, got one without any")
    plain = perfect(circuit)
    cut = _with_cuts(plain)
    try:
        found = cut.detecting_regions()
    except ValueError as error:
        raise refused(error) from error
    record = _Record.of(plain)
    heralds = record.heralds
    start = _start(cut, record)
    shown = [d for d, outcomes in enumerate(record.detectors) if outcomes and not heralds[d]]
    regions = [
        {tick: pauli for tick, pauli in found.get(stim.target_relative_detector_id(d), {}).items() if tick >= start}
        for d in shown
    ]
    data, watches = _watches(regions, shown, record)
    own_check, supports = _checks(watches, regions, data, [record.detectors[d] for d in shown])
    moments = _moments(watches, own_check)
    rounds = max(map(len, moments)) - 1
    if rounds < 1:
        raise CascadeError("expected at least one round of syndrome extraction, got checks that are measured once only")
    whole = np.array([len(own) > rounds for own in moments])
    primary = _primary(regions, own_check, whole, data)
    both = bool(whole[~primary].any())
    own_time = _slices(watches, own_check, moments, primary | both)
    middle = (rounds + 1) // 2
    own = [i for i in np.flatnonzero(own_time == middle) if primary[own_check[i]]]
    types = [_pauli_types(regions[i], watches[i].first, watches[i].last, data) for i in own]
    check, time = np.full(circuit.num_detectors, -1), np.zeros(circuit.num_detectors, dtype=np.int64)
    check[shown] = np.where(_doubles(own_check, own_time), -1, own_check)
    time[shown] = own_time
    matrix = np.zeros((len(supports), len(data)), dtype=np.uint8)
    for row, support in zip(matrix, supports, strict=True):
        row[list(support)] = 1
    # Qubits that no check meets are none of the code's: partners with which its logical qubits are entangled.
    matrix = matrix[:, matrix.any(axis=0)]
    return Skeleton(rounds, check, time, matrix, primary, _basis(types), both, sum(heralds))


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


def _start(cut: stim.Circuit, record: _Record) -> int:
    """The tick at which the first ancilla is reset for its first measurement; before that the code is prepared."""
    done = {*record.read_out(), *record.never_measured()}
    ready: dict[int, int] = {}  # the last reset of each qubit that is not measured yet
    starts: list[int] = []
    tick = 0
    for instruction in cut:
        if not isinstance(instruction, stim.CircuitInstruction):
            continue  # there are no loops
        tick += instruction.name == "TICK"
        gate = stim.gate_data(instruction.name)
        if gate.is_single_qubit_gate and (gate.is_reset or gate.produces_measurements):
            for target in instruction.targets_copy():
                if gate.produces_measurements and target.value not in done:
                    starts.append(ready.get(target.value, 0))
                    done.add(target.value)
                elif gate.is_reset:
                    ready[target.value] = tick
    return min(starts, default=0)


def _watches(regions: Sequence[Region], names: Sequence[int], record: _Record) -> tuple[dict[int, int], list[_Watch]]:
    """Number of each data qubit, and what each detector watches of them."""
    unwatched = None
    for qubits in (record.never_measured(), record.read_out()):
        number = {qubit: i for i, qubit in enumerate(qubits)}
        watches = []
        for name, region in zip(names, regions, strict=True):
            watch = _watch({tick: _covered(pauli, number) for tick, pauli in region.items()})
            if watch is None:
                unwatched = name
                break
            watches.append(watch)
        else:
            return number, watches
    measured = (record.qubits[outcome] for outcome in record.detectors[unwatched or 0])
    qubits = sorted({qubit for qubit in measured if qubit is not None})
    listed = ", ".join(f"qubit {qubit}" for qubit in qubits) or "products"
    raise CascadeError(
        f"detector D{unwatched} watches no data qubit; expected it to watch a check of the code, got outcomes of "
        f"{listed} alone"
    )


def _covered(pauli: stim.PauliString, number: dict[int, int]) -> frozenset[int]:
    return frozenset(number[q] for q in pauli.pauli_indices() if q in number)


def _watch(covered: dict[int, frozenset[int]]) -> _Watch | None:
    most = max(map(len, covered.values()), default=0)
    if most == 0:
        return None
    ticks = [tick for tick in covered if len(covered[tick]) == most]
    return _Watch(frozenset().union(*covered.values()), min(ticks), max(ticks))


def _checks(
    watches: list[_Watch], regions: list[Region], data: dict[int, int], outcomes: list[list[int]]
) -> tuple[np.ndarray, list[frozenset[int]]]:
    """Detectors with one support are one check, or two of different bases: int64 [detectors], and the supports."""
    supports = [watch.support for watch in watches]
    check = _numbered(supports)
    if _mixed(check, supports, regions, data):
        whole = np.ones(len(regions), dtype=bool)
        kinds = _primary(regions, np.arange(len(regions)), whole, data, outcomes).tolist()
        of_outcome = {(outcome, kind) for own, kind in zip(outcomes, kinds, strict=True) for outcome in own}
        if len(of_outcome) > len(set(chain(*outcomes))):
            raise CascadeError(
                "expected checks of one basis each, got some that change theirs from round to round, as those of "
                "Stim's color_code:memory_xyz do"
            )
        check = _numbered(list(zip(supports, kinds, strict=True)))
    return check, [supports[first] for first in np.unique(check, return_index=True)[1]]


def _numbered(keys: Sequence[Hashable]) -> np.ndarray:
    """The number of each key, in the order in which they come: int64 [keys]."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _mixed(check: np.ndarray, supports: list[frozenset[int]], regions: list[Region], data: dict[int, int]) -> bool:
    """Whether two detectors of one check ever have different Pauli operators at one place."""
    qubit_of = {number: qubit for qubit, number in data.items()}
    found: dict[tuple[int, int], int] = {}
    for own, support, region in zip(check.tolist(), supports, regions, strict=True):
        qubit = qubit_of[min(support)]
        for tick, pauli in region.items():
            here = pauli[qubit] if qubit < len(pauli) else 0
            if here and found.setdefault((own, tick), here) != here:
                return True
    return False


def _moments(watches: list[_Watch], check: np.ndarray) -> list[list[tuple[int, int]]]:
    """The different moments of each check's detectors, in order."""
    found: list[set[tuple[int, int]]] = [set() for _ in range(int(check.max()) + 1)]
    for c, watch in zip(check.tolist(), watches, strict=True):
        found[c].add((watch.first, watch.last))
    return [sorted(moments) for moments in found]


def _primary(
    regions: list[Region],
    check: np.ndarray,
    whole: np.ndarray,
    data: dict[int, int],
    outcomes: Sequence[Sequence[int]] = (),
) -> np.ndarray:
    """Checks of one basis, that of the experiment: bool [checks].

    The first of those with a detector in every slice (`whole`, bool [checks]) is; and whenever two checks meet, they
    are of one basis if they have the same Pauli operator on a data qubit at the same time, or share an outcome if these
    are given. Checks that meet none of the others are of this basis if they are whole.
    """
    known: list[dict[tuple[int, int], int]] = [{} for _ in whole]
    meeting: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for region, c in zip(regions, check.tolist(), strict=True):
        for tick, pauli in region.items():
            for qubit in pauli.pauli_indices():
                if qubit in data:
                    known[c][tick, qubit] = pauli[qubit]
                    meeting[tick, qubit].append(c)
    for own, c in zip(outcomes, check.tolist(), strict=False):
        for outcome in own:
            known[c][-1, outcome] = 0  # before all ticks
            meeting[-1, outcome].append(c)
    primary = whole.copy()
    first = int(np.argmax(whole))
    decided, waiting = {first}, [first]
    while waiting:
        c = waiting.pop()
        for place, pauli in known[c].items():
            for other in meeting.pop(place, ()):
                if other not in decided:
                    primary[other] = primary[c] == (known[other][place] == pauli)
                    decided.add(other)
                    waiting.append(other)
    return primary


def _slices(
    watches: list[_Watch], check: np.ndarray, moments: list[list[tuple[int, int]]], everywhere: np.ndarray
) -> np.ndarray:
    """Slice of each detector, int64 [detectors].

    A check with a detector in every slice is the clock. Of each check the detectors with different moments belong to
    different slices, those that their moments are nearest to by the sum of squares, which keeps their order; and only
    checks that are `everywhere` (bool [checks]) have any in the first and the last slice.
    """
    clock = np.array(max(moments, key=len)).sum(axis=1)
    slice_of: list[dict[tuple[int, int], int]] = []
    for own, of_ends in zip(moments, everywhere, strict=True):
        slices = np.arange(len(clock)) if of_ends else np.arange(1, len(clock) - 1)
        if len(own) > len(slices):
            raise CascadeError(
                f"expected two detectors more of a check of the experiment's basis than of others, got {len(clock)} "
                f"and {len(own)}: those that compare with the preparation or with the readout are missing"
            )
        distance = np.array(own).sum(axis=1)[:, None] - clock[slices]
        cost = csr_array(distance**2 + 1.0)  # what is zero would be no edge
        nearest = slices[min_weight_full_bipartite_matching(cost)[1]]
        slice_of.append(dict(zip(own, nearest.tolist(), strict=True)))
    time = [slice_of[c][watch.first, watch.last] for c, watch in zip(check.tolist(), watches, strict=True)]
    return np.array(time, dtype=np.int64)


def _doubles(check: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Detectors that say again what one before them says: bool [detectors]."""
    keys = np.stack([check, time], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    return ~np.isin(np.arange(len(keys)), first)


def _pauli_types(region: Region, first: int, last: int, data: dict[int, int]) -> list[frozenset[int]]:
    """Kinds of Pauli operator on the data qubits at each moment while the whole support is covered."""
    return [
        frozenset(region[tick][q] for q in region[tick].pauli_indices() if q in data)
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
