"""What the page is told of kernels: the polynomials of bicycle codes, and the sizes of learnt weights."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from cascade_qec import codes
from cascade_qec.codes import BivariateBicycleCode
from cascade_qec.decoders.loading import load
from cascade_qec.zoo import registry

BICYCLES = ("bb72", "bb90", "bb108", "bb144", "bb288")
"""The codes whose kernels the page has."""

SURFACE = "surface_d5"
"""Its surface code is there to compare."""


@lru_cache(maxsize=1)
def kernels_file() -> bytes:
    """Codes, each with the sizes of a model's weights if there is one, as JSON.

    A size is the Frobenius norm of the weights of one relation: [blocks][steps][planes][relations], in the order of
    `cascade_qec.engine.weights.Convolution`.
    """
    bicycles: list[dict[str, object]] = []
    for name in BICYCLES:
        code = codes.get(name)
        assert isinstance(code, BivariateBicycleCode)
        facts = {"name": name, "n": code.n, "k": code.k, "d": code.d, "l": code.l, "m": code.m}
        bicycles.append({**facts, "a": code.a_terms, "b": code.b_terms, **_learnt(name)})
    return json.dumps({"bicycles": bicycles, "surface": _learnt(SURFACE)}, separators=(",", ":")).encode()


def _learnt(code: str) -> dict[str, object]:
    """The first model of a code that decides logical classes, and the sizes of its weights."""
    models = [name for name in registry.names() if registry.card(name).code == code and not registry.card(name).local]
    if not models:
        return {"model": None, "sizes": None}
    trunk = load(models[0], device="cpu", runtime="numpy").weights.trunk
    sizes = [
        [np.linalg.norm(step.weight.astype(float), axis=(2, 3)) for step in each.convolutions] for each in trunk.blocks
    ]
    return {
        "model": models[0],
        "sizes": [[step.round(4).tolist() for step in block] for block in sizes],
    }
