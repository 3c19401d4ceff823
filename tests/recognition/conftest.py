"""Circuits taken apart, so that tests can write the same experiment in other ways."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import stim

from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.recognition import Recognition
from cascade_qec.recognition.likeness import reference


@dataclass
class Operation:
    """One instruction on one group of targets; outcomes are numbered once and for all, wherever it is moved."""

    name: str
    targets: list[stim.GateTarget]
    arguments: list[float] = field(default_factory=list)
    outcome: int | None = None

    @property
    def qubits(self) -> set[int]:
        return {target.value for target in self.targets if not target.is_combiner}


@dataclass
class Draft:
    """A circuit in which everything may be moved; detectors and observables are sets of outcomes.

    Attributes
    ----------
    layers
        Operations between two TICKs.
    detectors, observables
        Outcomes of each.
    coordinates
        Of each detector.
    """

    layers: list[list[Operation]]
    detectors: list[frozenset[int]]
    observables: list[frozenset[int]]
    coordinates: list[list[float]]

    @classmethod
    def of(cls, circuit: stim.Circuit) -> Draft:
        layers: list[list[Operation]] = [[]]
        detectors, outcomes = [], 0
        observables: list[frozenset[int]] = [frozenset()] * circuit.num_observables
        for instruction in circuit.flattened():
            targets = instruction.targets_copy()
            records = frozenset(outcomes + target.value for target in targets if target.is_measurement_record_target)
            if instruction.name == "TICK":
                layers.append([])
            elif instruction.name == "DETECTOR":
                detectors.append(records)
            elif instruction.name == "OBSERVABLE_INCLUDE":
                observables[int(instruction.gate_args_copy()[0])] ^= records
            elif instruction.name not in ("QUBIT_COORDS", "SHIFT_COORDS"):
                measured = stim.gate_data(instruction.name).produces_measurements
                for group in instruction.target_groups():
                    arguments = instruction.gate_args_copy()
                    layers[-1].append(Operation(instruction.name, group, arguments, outcomes if measured else None))
                    outcomes += measured
        coordinates = circuit.get_detector_coordinates()
        return cls(layers, detectors, observables, [coordinates[d] for d in range(len(detectors))])

    def circuit(self, *, ticks: bool = True) -> stim.Circuit:
        """The circuit, its detectors behind all else."""
        built = stim.Circuit()
        position: dict[int, int] = {}
        for number, layer in enumerate(self.layers):
            if number and ticks:
                built.append("TICK", [])
            for operation in layer:
                if operation.outcome is not None:
                    position[operation.outcome] = len(position)
                built.append(operation.name, operation.targets, operation.arguments)

        def records(outcomes: frozenset[int]) -> list[stim.GateTarget]:
            return [stim.target_rec(position[outcome] - len(position)) for outcome in sorted(outcomes)]

        for outcomes, place in zip(self.detectors, self.coordinates, strict=True):
            built.append("DETECTOR", records(outcomes), place)
        for number, outcomes in enumerate(self.observables):
            built.append("OBSERVABLE_INCLUDE", records(outcomes), number)
        return built

    def rewrite(self, change: Callable[[Operation], list[Operation]]) -> None:
        """Exchange every operation for others."""
        self.layers = [[new for operation in layer for new in change(operation)] for layer in self.layers]

    def take(self, order: list[int] | np.ndarray) -> None:
        """Keep these detectors, in this order; those named twice become doubles."""
        self.detectors = [self.detectors[d] for d in order]
        self.coordinates = [self.coordinates[d] for d in order]

    def shuffle(self, random: np.random.Generator) -> None:
        """Operations of a layer in random order, but for those of one qubit."""
        for number, layer in enumerate(self.layers):
            waiting, shuffled = list(layer), []
            while waiting:
                busy: set[int] = set()
                free = []
                for operation in waiting:
                    if busy.isdisjoint(operation.qubits):
                        free.append(operation)
                    busy |= operation.qubits
                shuffled += [free[i] for i in random.permutation(len(free))]
                chosen = set(map(id, free))
                waiting = [operation for operation in waiting if id(operation) not in chosen]
            self.layers[number] = shuffled


@pytest.fixture(scope="session")
def draft_of() -> Callable[[stim.Circuit], Draft]:
    """Takes a circuit apart."""
    return Draft.of


def _confirm_map(found: Recognition, source: stim.Circuit | stim.DetectorErrorModel) -> None:
    """Every error that both experiments know, and that is the only one with its symptoms, flips what the map says.

    Nearly all errors must be of this sort, or there would be little to confirm.
    """
    lattice, observables = found.lattice, found.observables
    mechanisms = Mechanisms.of(source if isinstance(source, stim.DetectorErrorModel) else error_model(source))
    ours = reference(lattice.code, lattice.rounds, lattice.basis)
    own_sites = memory_lattice(lattice.code, lattice.rounds, lattice.basis).detector_sites
    present = set(lattice.detector_sites.tolist())
    known: defaultdict[frozenset[int], set[tuple[int, ...]]] = defaultdict(set)
    for a, b, flips in zip(ours.start[:-1], ours.start[1:], ours.observables, strict=True):
        known[frozenset(own_sites[ours.detector[a:b]].tolist()) & present].add(tuple(flips.tolist()))
    own: defaultdict[frozenset[int], set[tuple[int, ...]]] = defaultdict(set)
    for a, b, flips in zip(mechanisms.start[:-1], mechanisms.start[1:], mechanisms.observables, strict=True):
        own[frozenset(lattice.detector_sites[mechanisms.detector[a:b]].tolist()) - {-1}].add(tuple(flips.tolist()))
    confirmed = 0
    for a, b, flipped in zip(mechanisms.start[:-1], mechanisms.start[1:], mechanisms.observables, strict=True):
        detectors = mechanisms.detector[a:b]
        seen = frozenset(lattice.detector_sites[detectors].tolist()) - {-1}
        possible = known[seen] if seen and len(own[seen]) == 1 else ()
        if len(possible) == 1:
            (flips,) = possible
            said = observables.logicals.astype(int) @ flips + observables.detectors[:, detectors].sum(axis=1)
            assert np.array_equal(said % 2, flipped), f"{detectors} flip {flipped}, not {said % 2}"
            confirmed += 1
    assert confirmed > 0.5 * len(mechanisms.probability)


@pytest.fixture(scope="session")
def confirm_map() -> Callable[[Recognition, stim.Circuit | stim.DetectorErrorModel], None]:
    """Asserts that an experiment's own errors flip the observables that its recognition says."""
    return _confirm_map
