"""A bound decoder as one graph: from detection events to observables, or of a local model to log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cascade_qec.decoders.bound_cascade import BoundCascade
from cascade_qec.decoders.local import BoundLocal
from cascade_qec.engine import LocalHead, LocalTables, LogicalHead, LogicalTables, Tables, with_noise
from cascade_qec.error_models import Flips
from cascade_qec.errors import CascadeError
from cascade_qec.export import decision, network
from cascade_qec.export.graph import Graph
from cascade_qec.lattice import Lattice
from cascade_qec.recognition import Part

if TYPE_CHECKING:
    from cascade_qec.engine import Weights

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
        pre-decoder's graph is laid out: the observable, and detection events that are left, which are none.
    dtype
        Of weights and activations of the network, float32 or float16. Decisions are in float32.

    Raises
    ------
    CascadeError
        Of more than 12 observables; of a local model with both bases at once; of the layout "ising" for more than one
        observable, or for a local model.
    """
    if layout == "ising" and (isinstance(bound, BoundLocal) or bound.num_observables != 1):
        what = "a local model" if isinstance(bound, BoundLocal) else f"{bound.num_observables} observables"
        raise CascadeError(f"expected a decoder of one observable for the layout ising, got {what}")
    g = Graph()
    given = "dets" if layout == "ising" else "detection_events"
    events = _undone(g, g.cast(given, np.float32), bound.flips)
    inputs = {given: (np.uint8, ["shots", bound.num_detectors])}
    if isinstance(bound, BoundLocal):
        _local(g, events, bound, dtype)
        outputs = {"log_odds": (np.float32, ["shots", len(bound.parts[0].components.prior)])}
        return Whole(g, inputs, outputs, [bound.parts[0].lattice])
    parts = bound.recognition.parts if bound.recognition else [Part(bound.lattice, bound.observables)]
    lattices = [part.lattice for part in parts]
    observables, probabilities, log_odds = _sum(g, [_part(g, events, bound, part, dtype) for part in parts])
    if bound.flips is not None and bound.flips.observables.any():
        flips = bound.flips.observables.astype(np.float32)
        observables, probabilities = g.xor(observables, flips), g.xor(probabilities, flips)
    if layout == "ising":
        nothing = g.add("Mul", events, 0.0)
        g.cast(g.add("Concat", observables, nothing, axis=1), np.uint8, "L_and_residual_dets")
        return Whole(g, inputs, {"L_and_residual_dets": (np.uint8, ["shots", 1 + bound.num_detectors])}, lattices)
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
    tables = Tables.of(lattice, made.network.convolution)
    head_tables = LogicalTables.of(lattice, made.operators, part.observables.logicals)
    weights: Weights = bound.decoder.weights
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


def _local(g: Graph, events: str, bound: BoundLocal, dtype: Any) -> None:
    if len(bound.parts) > 1:
        raise CascadeError(
            f"{bound.name}: expected an experiment of one basis to export a local model for, got both at once"
        )
    decoder, part = bound.decoder, bound.parts[0]
    tables, weights = Tables.of(part.lattice, decoder.description.network.convolution), decoder.weights
    if part.noise is not None:
        weights, tables = with_noise(weights, tables, part.noise)
    assert isinstance(weights.head, LocalHead)
    x = network.features(g, events, weights.trunk, tables, bound.num_detectors, dtype)
    known, prior = ~part.unknown, part.prior_log_odds
    log_odds = network.local_log_odds(
        g, x, part.lattice.sites, weights.head, LocalTables.of(part.components), known, prior
    )
    g.add("Add", log_odds, part.told_log_odds, name="log_odds")


def _undone(g: Graph, events: str, flips: Flips | None) -> str:
    """Events without what errors that are likelier than not flip."""
    return events if flips is None else g.xor(events, flips.detectors[None].astype(np.float32))
