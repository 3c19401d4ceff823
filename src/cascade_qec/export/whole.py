"""A bound decoder as one graph: from detection events to observables, or of a local model to log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cascade_qec.components import Components
from cascade_qec.decoders.bound_cascade import BoundCascade
from cascade_qec.decoders.local import BoundLocal
from cascade_qec.decoders.prepared import logical_tables, prepared
from cascade_qec.engine import LocalHead, LocalTables, LogicalHead
from cascade_qec.error_models import Flips
from cascade_qec.errors import CascadeError
from cascade_qec.export import decision, network
from cascade_qec.export.graph import Graph
from cascade_qec.lattice import Lattice
from cascade_qec.recognition import Part

Layout = Literal["decoder", "ising"]


@dataclass(frozen=True, eq=False)
class Whole:
    """A graph with its inputs and outputs by name: a NumPy type and a shape of each; and the lattices in it."""

    graph: Graph
    inputs: dict[str, tuple[Any, list[Any]]]
    outputs: dict[str, tuple[Any, list[Any]]]
    lattices: list[Lattice]


def whole(bound: BoundCascade | BoundLocal, *, layout: Layout = "decoder", dtype: Any = np.float32) -> Whole:
    """Write the graph of a decoder that is bound to an experiment.

    Parameters
    ----------
    layout
        "decoder": ``detection_events`` to ``observables`` and, of a model that tells its confidence,
        ``probabilities``, ``confidence`` and ``log_odds``. "ising": ``dets`` to ``L_and_residual_dets``, as a
        pre-decoder's graph is laid out: the observable, and detection events that are left. A local model takes out
        the components that are likelier than not; of a logical head's events none are left.
    dtype
        Of weights and activations of the network, float32 or float16. Decisions are in float32.

    Raises
    ------
    CascadeError
        Of more than 12 observables; of a local model with both bases at once; of the layout "ising" for more than one
        observable.
    """
    if layout == "ising" and bound.num_observables != 1:
        raise CascadeError(
            f"expected a decoder of one observable for the layout ising, got {bound.num_observables} observables"
        )
    g = Graph()
    given = "dets" if layout == "ising" else "detection_events"
    events = _undone(g, g.cast(given, np.float32), bound.flips)
    inputs = {given: (np.uint8, ["shots", bound.num_detectors])}
    ising: dict[str, tuple[Any, list[Any]]] = {"L_and_residual_dets": (np.uint8, ["shots", 1 + bound.num_detectors])}
    if isinstance(bound, BoundLocal):
        log_odds = _local(g, events, bound, dtype)
        if layout == "ising":
            observables, left = _committed(g, log_odds, events, bound.parts[0].components, bound.num_detectors)
            _laid_out(g, observables, left, bound.flips)
            return Whole(g, inputs, ising, [bound.parts[0].lattice])
        g.add("Identity", log_odds, name="log_odds")
        outputs = {"log_odds": (np.float32, ["shots", len(bound.parts[0].components.prior)])}
        return Whole(g, inputs, outputs, [bound.parts[0].lattice])
    parts = bound.recognition.parts if bound.recognition else [Part(bound.lattice, bound.observables)]
    lattices = [part.lattice for part in parts]
    observables, probabilities, log_odds = _sum(g, [_part(g, events, bound, part, dtype) for part in parts])
    if layout == "ising":
        _laid_out(g, observables, g.add("Mul", events, 0.0), bound.flips)
        return Whole(g, inputs, ising, lattices)
    observables, probabilities = _flipped(g, observables, bound.flips), _flipped(g, probabilities, bound.flips)
    k = bound.num_observables
    g.cast(observables, np.uint8, "observables")
    outputs: dict[str, tuple[Any, list[Any]]] = {"observables": (np.uint8, ["shots", k])}
    if bound.tells_confidence:
        g.add("Identity", probabilities, name="probabilities")
        g.add("Reshape", g.add("Sigmoid", log_odds), np.array([-1]), name="confidence")
        g.add("Reshape", log_odds, np.array([-1]), name="log_odds")
        outputs |= {"probabilities": (np.float32, ["shots", k])}
        outputs |= {name: (np.float32, ["shots"]) for name in ("confidence", "log_odds")}
    return Whole(g, inputs, outputs, lattices)


def _part(g: Graph, events: str, bound: BoundCascade, part: Part, dtype: Any) -> decision.Decided:
    """One memory experiment: what is decided of its part in the observables."""
    made, lattice = bound.decoder.description, part.lattice
    head_tables = logical_tables(made, lattice, part.observables.logicals)
    weights, tables = prepared(bound.decoder.weights, made, lattice, head_tables)
    assert isinstance(weights.head, LogicalHead)
    with g.at(lattice.basis):
        x = network.features(g, events, weights.trunk, tables, lattice.detectors, dtype)
        evidence = network.logical_evidence(g, x, events, weights.head, head_tables, tables, lattice.detectors, dtype)
        calibration = made.calibration if bound.tells_confidence else None
        found = decision.decided(g, evidence, head_tables.logicals, head_tables.wanted, calibration)
        if not part.observables.detectors.any():
            return found
        turned = g.odd(g.add("MatMul", events, part.observables.detectors.T.astype(np.float32)))
        return found._replace(
            observables=g.xor(found.observables, turned), probabilities=g.xor(found.probabilities, turned)
        )


def _sum(g: Graph, parts: Sequence[decision.Decided]) -> decision.Decided:
    """The observables of one part, or the sums of those of both bases."""
    first, *others = parts
    for other in others:
        first = decision.Decided(
            g.xor(first.observables, other.observables),
            g.xor(first.probabilities, other.probabilities),
            decision.together(g, first.log_odds, other.log_odds),
        )
    return first


def _local(g: Graph, events: str, bound: BoundLocal, dtype: Any) -> str:
    """The log-odds of its components, float32 [shots, components]."""
    if len(bound.parts) > 1:
        raise CascadeError(
            f"{bound.name}: expected an experiment of one basis to export a local model for, got both at once"
        )
    decoder, part = bound.decoder, bound.parts[0]
    asked = LocalTables.of(part.components)
    weights, tables = prepared(decoder.weights, decoder.description, part.lattice, asked, part.noise)
    assert isinstance(weights.head, LocalHead)
    x = network.features(g, events, weights.trunk, tables, bound.num_detectors, dtype)
    known, prior = ~part.unknown, part.prior_log_odds
    log_odds = network.local_log_odds(g, x, part.lattice.sites, weights.head, asked, known, prior)
    return log_odds if part.noise is None else g.add("Add", log_odds, part.told_log_odds)


def _committed(g: Graph, log_odds: str, events: str, components: Components, detectors: int) -> tuple[str, str]:
    """The observable and the events, what components that are likelier than not make of them taken out of both."""
    # one more, which never happens, fills up rows of detectors that few flip
    chosen = g.add("Pad", g.cast(g.add("Greater", log_odds, 0.0), np.float32), np.array([0, 0, 0, 1]))
    component = np.repeat(np.arange(len(components)), np.diff(components.start))
    flipping = [component[components.detector == detector] for detector in range(detectors)]
    most = max(map(len, flipping), default=0)
    of_detector = np.full((detectors, most), len(components), dtype=np.int32)
    for row, those in zip(of_detector, flipping, strict=True):
        row[: len(those)] = those
    of_observable = np.flatnonzero(components.observables[:, 0]).astype(np.int32)[None]
    left, observable = (
        g.odd(g.add("ReduceSum", g.add("Gather", chosen, table, axis=1), np.array([2]), keepdims=0))
        for table in (of_detector, of_observable)
    )
    return observable, g.xor(events, left)


def _laid_out(g: Graph, observables: str, left: str, flips: Flips | None) -> None:
    """The output of a pre-decoder."""
    both = g.add("Concat", _flipped(g, observables, flips), left, axis=1)
    g.cast(both, np.uint8, "L_and_residual_dets")


def _flipped(g: Graph, observables: str, flips: Flips | None) -> str:
    """Observables, or their probabilities, with what errors that are likelier than not flip put back."""
    if flips is None or not flips.observables.any():
        return observables
    return g.xor(observables, flips.observables.astype(np.float32))


def _undone(g: Graph, events: str, flips: Flips | None) -> str:
    """Events without what errors that are likelier than not flip."""
    return events if flips is None else g.xor(events, flips.detectors[None].astype(np.float32))
