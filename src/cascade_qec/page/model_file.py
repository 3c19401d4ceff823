"""All that the page is told of a model: its folded weights and the tables of one experiment, in one file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from cascade_qec.codes import BASES, Basis, CSSCode, Frame
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.loading import load
from cascade_qec.decoders.prepared import logical_tables, prepared
from cascade_qec.engine import LogicalTables, Tables, Weights
from cascade_qec.engine.weights import LogicalHead
from cascade_qec.lattice import Lattice, logical_operators, memory_lattice
from cascade_qec.page.faults import Flips, happening, put_in

MODELS = ("surface_d3", "surface_d5", "surface_d7", "bb72")
"""The models that the page has."""

BASIS: Basis = "Z"
"""Of their experiments."""

Arrays = Iterator[tuple[str, NDArray[np.generic]]]


@lru_cache(maxsize=len(MODELS))
def model_file(name: str) -> bytes:
    """A safetensors file of a model and its experiment of as many rounds as in training."""
    decoder = load(name, device="cpu", runtime="numpy")
    return experiment_file(decoder, memory_lattice(decoder.code, decoder.description.rounds, BASIS))


def experiment_file(
    decoder: CascadeDecoder,
    lattice: Lattice,
    more: Mapping[str, NDArray[np.generic]] | None = None,
    told: Mapping[str, object] | None = None,
) -> bytes:
    """A safetensors file of a model and an experiment of the code's own.

    Its metadata have one entry, `page`, which is JSON: what is not an array.

    Parameters
    ----------
    more, told
        Further arrays and facts.
    """
    made, code = decoder.description, decoder.code
    logical = logical_tables(made, lattice)
    weights, tables = prepared(decoder.weights, made, lattice, logical)
    arrays = dict(
        [
            *_weights(weights, len(logical.segments)),
            *_tables(lattice, tables, logical),
            *_geometry(decoder, lattice),
            *_faults(code, lattice.rounds, lattice.basis),
        ]
    )
    arrays |= more or {}
    head = weights.head
    assert isinstance(head, LogicalHead)
    assert made.calibration is not None  # or no experiment would be decoded
    facts = {
        "name": made.name,
        "code": {"name": code.name, "n": code.n, "k": code.k, "d": code.d, "matchable": code.matchable},
        "rounds": lattice.rounds,
        "slices": lattice.slices,
        "basis": lattice.basis,
        "width": weights.trunk.embedding.shape[1],
        "depth": len(weights.trunk.blocks),
        "parameters": made.parameters(),
        "trained_at": made.noise_p,
        "period": _period(code.frame(lattice.basis)),
        "layers": code.schedule.depth,
        "output_bias": head.output_bias,
        "share": logical.share,
        "scale": logical.scale,
        "calibration": made.calibration.model_dump(include={"raw", "log_odds", "before", "beyond", "noise"}),
        **(told or {}),
    }
    contiguous = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
    return save(contiguous, metadata={"page": json.dumps(facts)})


def _period(frame: Frame) -> tuple[int, int] | None:
    """That of the drawing, in which all generators of a group but the first go one way, side by side."""
    return None if frame.period is None else (frame.period[0], prod(frame.period[1:]))


def _weights(weights: Weights, segments: int) -> Arrays:
    trunk, head = weights.trunk, weights.head
    assert isinstance(head, LogicalHead)
    for name in ("embedding", "scale", "shift"):
        yield f"trunk.{name}", getattr(trunk, name)
    for number, block in enumerate(trunk.blocks):
        for name in ("scale", "shift", "down", "down_bias", "up"):
            yield f"block{number}.{name}", getattr(block, name)
        for step, convolution in enumerate(block.convolutions):
            yield f"block{number}.step{step}.weight", convolution.weight
            yield f"block{number}.step{step}.bias", convolution.bias
    for name in ("to_data", "hidden", "output"):
        yield f"head.{name}", getattr(head, name)
    yield "head.hidden_bias", head.biases(segments)


def _tables(lattice: Lattice, tables: Tables, logical: LogicalTables) -> Arrays:
    yield "site.detector", lattice.bits[0].astype(np.int16)
    yield "site.fill", tables.fill
    yield "site.kind", tables.kind.astype(np.int16)
    for number, step in enumerate((*tables.steps, logical.to_data)):
        name = f"step{number}" if number < len(tables.steps) else "to_data"
        yield f"{name}.read", step.read.astype(np.int16)
        yield f"{name}.plane", step.plane.astype(np.uint8)
    for name in ("sites", "segments", "order", "start", "place", "checks"):
        yield f"head.{name}", getattr(logical, name).astype(np.int16)
    yield "head.members", logical.members
    yield "head.logicals", logical.logicals


def _geometry(decoder: CascadeDecoder, lattice: Lattice) -> Arrays:
    """Where to draw what. Checks of X come before those of Z, as their ancillas do."""
    code, basis = decoder.code, lattice.basis
    yield "draw.qubit", code.qubit_positions.astype(np.float32)
    yield "draw.check", np.concatenate([code.check_positions(kind) for kind in BASES]).astype(np.float32)[:, :2]
    yield "draw.support", np.concatenate([code.checks(kind) for kind in BASES])
    yield "draw.x_checks", np.array([len(code.hx)], dtype=np.int16)
    yield "draw.site", np.concatenate([lattice.check_sites(kind) for kind in BASES], axis=1).astype(np.int16)
    frame = code.frame(basis)
    asked = logical_operators(code, basis, decoder.description.operators)
    operators = np.zeros(asked.support.shape, dtype=np.uint8)
    operators[:, frame.data_qubit] = asked.support
    yield "draw.operator", operators
    yield "draw.observable", code.logicals(basis)


def _faults(code: CSSCode, rounds: int, basis: Basis) -> Arrays:
    known = happening(code, rounds, basis)
    yield from _flips("fault", known.flips)
    for name in ("count", "round", "step", "qubit", "pauli"):
        yield f"fault.{name}", getattr(known, name)
    yield from _flips("put", put_in(code, rounds, basis))


def _flips(name: str, flips: Flips) -> Arrays:
    for field in fields(flips):
        yield f"{name}.{field.name}", getattr(flips, field.name)
