"""What Python says of the kernels that the page draws, from the codes' own tables of relations."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import cascade_qec as cascade
from cascade_qec import codes
from cascade_qec.codes import Frame
from cascade_qec.engine.weights import Convolution
from cascade_qec.page.kernels import BICYCLES, SURFACE

_BLOCK = 2
_MODELS = {"bb72": "bb72", "bb108": "bb108", "bb144": "bb144_small"}


def kernel_values() -> dict[str, Any]:
    """Of some checks of each code: places as [number, time, size], with 1 for the size where there is no model.

    Of the surface code a block's sizes in the order of its relations.
    """
    (surface,) = _weights(SURFACE)
    return {
        "bicycles": {name: [_of_check(name, check) for check in _some(codes.get(name).n)] for name in BICYCLES},
        "surface": np.linalg.norm(surface.weight[0].astype(float), axis=(1, 2)).tolist(),
    }


def _some(checks: int) -> list[int]:
    return [0, checks // 4 + 1, checks // 2 - 1, checks // 2, checks - 2]


def _of_check(name: str, check: int) -> dict[str, Any]:
    code = codes.get(name)
    frame = code.frame("Z")
    place = int(np.concatenate([frame.check_place["X"], frame.check_place["Z"]])[check])
    (direct,) = frame.convolution("direct")
    seen = direct.table[place]
    data = _reads(name, frame, 1, place)
    checks = [_reads(name, frame, 0, int(np.flatnonzero(frame.data_qubit == qubit)[0])) for qubit, _, _ in data[:6]]
    sizes: dict[tuple[int, int], float] = {}
    for qubit, time, size in data:
        via = next(each for (known, _, _), each in zip(data[:6], checks, strict=True) if known == qubit)
        for other, later, its_size in via:
            sizes[other, time + later] = float(np.hypot(sizes.get((other, time + later), 0), size * its_size))
    return {
        "check": check,
        "direct": [[int(number), time] for number in _check_number(frame)[seen[seen >= 0]] for time in direct.times],
        "both": [[*where, size] for where, size in sizes.items()],
        "data": data,
        "checks": checks,
    }


def _reads(name: str, frame: Frame, step: int, place: int) -> list[tuple[int, int, float]]:
    """What a place reads in a step, relation by relation."""
    relations = frame.convolution("bipartite")[step]
    number = frame.data_qubit if relations.read == "data" else _check_number(frame)
    sizes = np.ones(len(relations.times) * 6)
    if name in _MODELS:
        weight = _weights(name)[step].weight
        plane = np.searchsorted(np.cumsum(frame.planes(relations.out)), place, side="right")
        sizes = np.sqrt((weight[plane].astype(float) ** 2).sum(axis=(1, 2)))
    read = [(int(number[at]), time) for time in relations.times for at in relations.table[place]]
    return [(*where, float(size)) for where, size in zip(read, sizes, strict=True)]


@cache
def _weights(name: str) -> tuple[Convolution, ...]:
    return cascade.load(_MODELS.get(name, name), device="cpu").weights.trunk.blocks[_BLOCK].convolutions


def _check_number(frame: Frame) -> np.ndarray:
    """The number of the check at each place, X before Z."""
    place = np.concatenate([frame.check_place["X"], frame.check_place["Z"]])
    return np.argsort(place)
