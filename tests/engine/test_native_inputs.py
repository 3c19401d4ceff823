"""Whatever the kernels in C++ are given, they raise or compute: nothing is read or written beyond an array.

CONTRIBUTING says how this file runs under AddressSanitizer.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.engine import LocalTables, LogicalHead, LogicalTables, Tables, Weights, folded
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import ModelDescription, NetworkSettings
from cascade_qec.native import native

pytestmark = pytest.mark.skipif(native() is None, reason="tests the native kernels, which are not installed")
REFUSED = (ValueError, TypeError, RuntimeError)
TRIES = 150


def spoiled(random: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """An array with another shape, type, order in memory or value."""
    how = random.integers(9)
    if how == 0:
        return array.astype(["float64", "int64", "uint8", "bool", "complex64"][random.integers(5)])
    if how == 1:
        return array[..., None] if random.integers(2) else array.ravel()[: random.integers(3)]
    if how == 2:
        return np.asfortranarray(np.stack([array, array]))[0]
    if how == 3:
        return array[: len(array) // 2]
    if how == 4:
        return np.concatenate([array, array])
    if how == 5:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if how == 6:
        raw = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)  # at an odd address
        raw[...] = array
        return raw
    changed = array.copy()
    if changed.size:
        value = random.choice([-1, -(2**31), 2**31 - 1, 255, 1000]) if changed.dtype.kind in "iu" else np.nan
        changed.flat[random.integers(changed.size)] = np.array(value).astype(changed.dtype)
    return changed


def spoil(random: np.random.Generator, thing: Any) -> Any:
    """Spoil one array somewhere in a dataclass, a tuple or a list."""
    if isinstance(thing, np.ndarray):
        return spoiled(random, thing)
    if isinstance(thing, (tuple, list)) and thing:
        at = random.integers(len(thing) + 1)
        if at == len(thing):
            return type(thing)(thing[:-1])
        return type(thing)(spoil(random, part) if i == at else part for i, part in enumerate(thing))
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        name = random.choice([field.name for field in dataclasses.fields(thing)])
        return dataclasses.replace(thing, **{name: spoil(random, getattr(thing, name))})
    return random.choice([-1, 0, 10**9]) if isinstance(thing, (int, float)) else thing


def parts(local: bool) -> tuple[Weights, Tables, LogicalTables | LocalTables]:
    code, settings = codes.get("surface_d3"), NetworkSettings(width=8, depth=2, convolution="direct")
    types = [(0, ((0, 0, 0),)), (1, ((0, 0, 0),))] if local else None
    described = ModelDescription(
        name="x", code=code.name, rounds=2, bases=["Z"], noise_p=0.01, network=settings, components=types
    )
    random = np.random.default_rng(0)
    state = {name: random.uniform(0.5, 1, shape).astype(np.float32) for name, shape in described.shapes().items()}
    weights = folded(state, code, convolution="direct", depthwise=False)
    lattice = memory_lattice(code, 2, "Z")
    tables = Tables.of(lattice, "direct")
    if local:
        owner = np.arange(6, dtype=np.int32)
        return weights, tables, LocalTables(owner, owner % 2)
    assert isinstance(weights.head, LogicalHead)
    head = LogicalTables.of(lattice, "translations", np.eye(1, dtype=np.uint8), segment_rounds=1)
    biases = weights.head.biases(len(head.segments))
    return dataclasses.replace(weights, head=dataclasses.replace(weights.head, hidden_bias=biases)), tables, head


@pytest.mark.parametrize("local", [False, True])
def test_programs(local: bool) -> None:
    random = np.random.default_rng(1)
    given = parts(local)
    packed = random.integers(0, 256, (5, given[1].bytes), dtype=np.uint8)
    refused = 0
    for _ in range(TRIES):
        weights, tables, head = given
        which = random.integers(4)
        weights = spoil(random, weights) if which == 0 else weights
        tables = spoil(random, tables) if which == 1 else tables
        head = spoil(random, head) if which == 2 else head
        events = spoiled(random, packed)
        try:
            program = native().Program(weights.trunk, weights.head, tables, head, local=local, exact=not local)
            program.evidence(events, threads=int(random.integers(-1, 4)))
            if not local:
                program.decide(events)
        except (*REFUSED, AttributeError):
            refused += 1
    assert TRIES / 3 < refused < TRIES


def test_training() -> None:
    random = np.random.default_rng(2)
    lattice, width, channels = memory_lattice(codes.get("surface_d3"), 2, "Z"), 32, 16
    table = Tables.of(lattice, "direct").steps[0]
    sites, relations = table.read.shape
    floats = lambda *shape: random.normal(size=shape).astype(np.float32)  # noqa: E731
    block = [floats(width), floats(width), *(floats(channels) for _ in range(4))]
    block += [floats(channels, width), floats(channels, relations * channels), floats(width, channels)]
    parameters = [*block, floats(width), floats(width)]
    x, refused = floats(sites, 4, width), 0
    for _ in range(TRIES):
        what = random.integers(5)
        spoilt = spoil(random, table) if what == 0 else table
        read, plane = spoilt.read, spoilt.plane
        try:
            trunk = native().TrainingTrunk([(read, plane)], sites=sites, width=width, channels=channels)
            given = spoil(random, parameters) if what == 1 else parameters
            y, _, saved = trunk.forward(
                spoiled(random, x) if what == 2 else x, given, [], [0.5], epsilon=1e-5, keep=bool(what != 3), threads=2
            )
            trunk.backward(spoiled(random, y) if what == 4 else y, saved, threads=2)
            one = native().TrainingConvolution(read, plane, sites_in=sites)
            weight = floats(1, 16, relations * width)
            result = one.forward(x, spoiled(random, weight) if what == 1 else weight)
            one.backward(x, weight, spoiled(random, result) if what == 2 else result)
        except REFUSED:
            refused += 1
    assert TRIES / 3 < refused < TRIES


def test_one_program_in_many_threads() -> None:
    weights, tables, head = parts(False)
    program = native().Program(weights.trunk, weights.head, tables, head, local=False, exact=True)
    packed = np.random.default_rng(3).integers(0, 256, (64, tables.bytes), dtype=np.uint8)
    expected = program.decide(packed)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: program.decide(packed, threads=2), range(32)):
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)
