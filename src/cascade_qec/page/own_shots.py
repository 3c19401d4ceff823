"""Shots that the reader brings along, as the page wants them: those of the code's own experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.codes import gf2
from cascade_qec.decoders import events
from cascade_qec.decoders.bound_cascade import BoundCascade
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.loading import load
from cascade_qec.decoders.shots import ShotFile, guess_format
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.page.model_file import experiment_file
from cascade_qec.recognition import read_circuit, recognise_any
from cascade_qec.zoo import registry

MOST = 2000
"""Shots that the page is given."""


@dataclass(frozen=True, eq=False)
class OwnShots:
    """What the page shows instead of its own models at first.

    Attributes
    ----------
    file : bytes
        A model's file with the shots in it.
    title : str
        What they are.
    shots, total : int
        How many it has, and how many there were.
    """

    file: bytes
    title: str
    shots: int
    total: int


def own_shots(circuit: Path, shots: Path, observables: Path | None = None, *, model: str | None = None) -> OwnShots:
    """Read shots of a circuit, and turn them into those of the code's own experiment.

    Parameters
    ----------
    circuit
        A memory experiment of a known code, by any tool.
    shots, observables
        Files of detection events and of true observable flips, in Stim's formats by their endings.
    model
        Who decodes; by default the first model that can.

    Raises
    ------
    CascadeError
        If no model of the page's kind decodes the circuit, or a file is not of its shots.
    """
    read = read_circuit(circuit)
    names = [model] if model else registry.models_of(recognise_any(read).lattice.code)
    decoder, bound = _bound(names, read, str(circuit))
    lattice = bound.lattice
    detection_events, total = _read(ShotFile(shots, guess_format(shots, "a name of --shots"), bound.num_detectors))
    if bound.flips is not None:
        detection_events = detection_events ^ bound.flips.detectors
    own = memory_lattice(decoder.code, lattice.rounds, lattice.basis)
    number = np.full(own.sites, -1)
    number[own.detector_sites] = np.arange(own.detectors)
    placed = lattice.detector_sites >= 0
    moved = np.zeros((len(detection_events), own.detectors), dtype=np.bool_)
    moved[:, number[lattice.detector_sites[placed]]] = detection_events[:, placed]
    shot, detector = np.nonzero(moved)
    arrays = {
        "shots.start": np.searchsorted(shot, np.arange(len(moved) + 1)).astype(np.int32),
        "shots.detector": detector.astype(np.int16),
    }
    if observables is not None:
        k = bound.num_observables
        truth, counted = _read(ShotFile(observables, guess_format(observables, "a name of --obs"), 0, k))
        if counted != total:
            raise CascadeError(f"{observables}: expected the observables of {total:,} shots, got those of {counted:,}")
        arrays["shots.observables"] = _of_the_code(bound, detection_events, truth)
    told = {"circuit": circuit.name, "file": shots.name, "total": total}
    return OwnShots(experiment_file(decoder, own, arrays, {"shots": told}), shots.name, len(moved), total)


def _bound(names: Sequence[str], circuit: stim.Circuit, file: str) -> tuple[CascadeDecoder, BoundCascade]:
    """The first of some models that the page can run on a circuit."""
    refusals: list[str] = []
    for name in names:
        decoder = load(name, device="cpu", runtime="numpy")
        if decoder.description.head != "logical":
            refusals.append(f"model {name} has no logical head, which the page draws")
            continue
        try:
            bound = decoder.bind(circuit)
        except CascadeError as error:
            refusals.append(str(error))
            continue
        assert bound.recognition is not None  # of a circuit there is one
        if len(bound.recognition.parts) == 1:
            return decoder, bound
        refusals.append("it keeps the logical operators of both bases, and the page draws those of one")
    tried = "; ".join(refusals) or "there is no model of its code"
    raise CascadeError(f"{file}: expected a circuit that a model of the page's kind decodes: {tried}")


def _read(file: ShotFile) -> tuple[NDArray[np.bool_], int]:
    """The first shots of a file, bool [shots, bits], and how many it has."""
    kept = [np.zeros((0, file.detectors + file.observables), dtype=np.bool_)]
    total = 0
    for batch in file.batches(MOST):
        if not total:
            kept.append(events.unpacked(batch, file.detectors + file.observables))
        total += len(batch)
    if not total:
        raise CascadeError(f"{file.path}: expected one shot at least, got none")
    return np.concatenate(kept), total


def _of_the_code(
    bound: BoundCascade, detection_events: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """What is flipped of the code's observables, masks uint16 [shots], from that of the circuit's, bool [shots, k]."""
    code, sums = bound.decoder.code, bound.observables.logicals
    if sums.shape != (code.k, code.k) or gf2.rank(sums) < code.k:
        raise CascadeError(
            f"expected observables that tell all {code.k} logical qubits of {code.name}, to say who is right, got "
            f"{len(sums)} that tell {gf2.rank(sums)}: leave out the file of observables"
        )
    if bound.flips is not None:
        truth = truth ^ bound.flips.observables
    told = truth ^ bound.observables.turned(detection_events)
    own = gf2.combinations(np.eye(code.k, dtype=np.uint8), of=sums)  # the code's observables in the circuit's
    flipped = told.astype(np.int64) @ own.T % 2
    return (flipped @ (1 << np.arange(code.k))).astype(np.uint16)
