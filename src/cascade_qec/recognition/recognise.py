"""A circuit or error model from anywhere, laid onto a code's lattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import stim

from cascade_qec.codes import CSSCode
from cascade_qec.codes.css import BASES, Basis
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.recognition.circuit_skeleton import circuit_skeleton
from cascade_qec.recognition.dem_skeleton import dem_skeletons
from cascade_qec.recognition.noise_strength import noise_strength
from cascade_qec.recognition.observables import ObservableMap, observable_map
from cascade_qec.recognition.placement import agreement, placements
from cascade_qec.recognition.probe import first_line, probed
from cascade_qec.recognition.translations import best_translated


@dataclass(frozen=True, eq=False)
class Recognition:
    """What an experiment is, in terms of a code.

    Attributes
    ----------
    lattice : Lattice
        Site of every detector.
    observables : ObservableMap
        The experiment's observables in those of the code.
    basis : Basis or None
        Basis in which the circuit prepares and reads out, where it can be told. The lattice may have the other one:
        up to a symmetry of the code both are one problem.
    missing, missing_own : int
        Detectors that our own experiment has beyond those found, and how many of these are of the experiment's basis.
    ignored : int
        Detectors that only repeat others.
    strength : float
        The p of uniform depolarizing noise that causes as many detection events; 0 without noise.
    agreement : float
        Share of the noise, by probability, that our own noise model has, too.
    """

    lattice: Lattice
    observables: ObservableMap
    basis: Basis | None
    missing: int
    missing_own: int
    ignored: int
    strength: float
    agreement: float


def recognise(
    source: stim.Circuit | stim.DetectorErrorModel, code: CSSCode, bases: Sequence[Basis] = BASES
) -> Recognition:
    """Work out which lattice site each detector is, and what the observables are.

    Parameters
    ----------
    source
        A memory experiment of `code`, by any tool: any order, coordinates or none, any schedule, either basis, any
        logical representatives. Of a circuit the noise plays no part; of an error model it is all there is.
    code
        The code that it is to be.
    bases
        Bases of the lattice that will do.

    Raises
    ------
    CascadeError
        In one sentence, why it is no such experiment.
    """
    if not source.num_observables:
        raise CascadeError(f"expected observables of {code.name}, got none")
    if isinstance(source, stim.Circuit):
        skeletons = [circuit_skeleton(source)]
        probe = Mechanisms.of(probed(source))
        own = Mechanisms.of(_error_model(source))
    else:
        skeletons = dem_skeletons(source, code)
        probe = own = Mechanisms.of(source)
    refusal: CascadeError | None = None
    for skeleton in skeletons:
        try:
            ways = placements(skeleton, probe, code, bases)
        except CascadeError as error:
            refusal = refusal or error
            continue
        for way in ways:
            whole = memory_lattice(code, skeleton.rounds, way.basis)
            try:
                observables = observable_map(way, probe, whole)
                moved = best_translated(way, observables, whole)
                if moved is not way:
                    way, observables = moved, observable_map(moved, probe, whole)
            except CascadeError as error:
                # A symmetry of one basis' checks alone need not be one of the code.
                refusal = refusal or error
                continue
            ignored = int((way.sites < 0).sum())
            return Recognition(
                lattice=Lattice(code, rounds=skeleton.rounds, basis=way.basis, detector_sites=way.sites),
                observables=observables,
                basis=skeleton.basis,
                missing=whole.detectors - len(way.sites) + ignored,
                missing_own=int((~np.isin(whole.check_sites(way.basis), way.sites)).sum()),
                ignored=ignored,
                strength=noise_strength(own, way.sites, whole),
                agreement=agreement(own, way.sites, whole),
            )
    assert refusal is not None
    raise refusal


def _error_model(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    try:
        return circuit.detector_error_model(flatten_loops=True, approximate_disjoint_errors=True)
    except ValueError as error:
        raise CascadeError(f"expected a circuit that has a detector error model: {first_line(error)}") from error
