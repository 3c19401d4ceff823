"""Detector error models: that of a circuit, and any of them as arrays."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, chain

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes.gf2 import Bits
from cascade_qec.errors import CascadeError


def random_words(count: int, seed: int = 0) -> NDArray[np.uint64]:
    """A random word for each of several things; a set of them is known by the XOR of theirs.

    Returns
    -------
    uint64 [count + 1]
        The last one is 0: index -1 stands for what is left out.
    """
    words = np.random.default_rng(seed).integers(1, 1 << 63, size=count + 1, dtype=np.uint64)
    words[-1] = 0
    return words


@dataclass(frozen=True, eq=False)
class Mechanisms:
    """The error mechanisms of a model, in its order.

    Attributes
    ----------
    probability : float64 [mechanisms]
    detector : int64 [entries]
        Detectors flipped, those of one mechanism after those of another, ascending within each.
    start : int64 [mechanisms + 1]
        Mechanism m flips ``detector[start[m]:start[m + 1]]``.
    observables : uint8 [mechanisms, observables]
        Whether it flips each observable.
    detectors : int
        Detectors of the model.
    """

    probability: NDArray[np.float64]
    detector: NDArray[np.int64]
    start: NDArray[np.int64]
    observables: Bits
    detectors: int

    @property
    def weight(self) -> NDArray[np.int64]:
        """Number of detectors that each mechanism flips: int64 [mechanisms]."""
        return np.diff(self.start)

    @property
    def owner(self) -> NDArray[np.int64]:
        """The mechanism of each entry of `detector`: int64 [entries]."""
        return np.repeat(np.arange(len(self.probability)), self.weight)

    def xor(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """XOR over each mechanism's detectors of a value per detector: uint64 [mechanisms], 0 where it flips none."""
        total = np.zeros(len(self.detector) + 1, dtype=np.uint64)
        np.bitwise_xor.accumulate(values[self.detector], out=total[1:])
        return total[self.start[1:]] ^ total[self.start[:-1]]

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> Mechanisms:
        """Read a model; the parts that ``^`` suggests are put together again."""
        probability, symptoms, flips = [], [], []
        # Stim's text is read several times faster than its objects: a large code has 10^5 mechanisms.
        for line in str(dem.flattened()).splitlines():
            if not line.startswith("error"):
                continue
            head, _, text = line.partition(")")
            probability.append(float(head.partition("(")[2]))
            targets = text.split()
            if "^" in text or len(set(targets)) != len(targets):
                targets = [target for target, times in Counter(targets).items() if times % 2 and target != "^"]
            symptoms.append(sorted([int(target[1:]) for target in targets if target[0] == "D"]))
            flips.append([int(target[1:]) for target in targets if target[0] == "L"])
        observables = np.zeros((len(flips), dem.num_observables), dtype=np.uint8)
        for row, flipped in zip(observables, flips, strict=True):
            row[flipped] = 1
        return cls(
            probability=np.array(probability, dtype=np.float64),
            detector=np.fromiter(chain.from_iterable(symptoms), dtype=np.int64),
            start=np.array([0, *accumulate(map(len, symptoms))], dtype=np.int64),
            observables=observables,
            detectors=dem.num_detectors,
        )


def error_model(circuit: stim.Circuit, *, decomposed: bool = False) -> stim.DetectorErrorModel:
    """The detector error model of a circuit: the one way in which this package has Stim make it.

    Loops are flattened, as mechanisms that cross a loop's seam are listed in parts otherwise. Disjoint errors, such as
    the Paulis of a channel or the outcomes of a heralded erasure, are taken for independent ones.

    Parameters
    ----------
    decomposed
        Whether ``^`` shall part errors into such that flip at most two detectors.

    Raises
    ------
    CascadeError
        If the circuit is too long, has detectors or observables that are random without noise, or errors that cannot be
        decomposed.
    """
    check_size(circuit)
    try:
        return circuit.detector_error_model(
            decompose_errors=decomposed, flatten_loops=True, approximate_disjoint_errors=True
        )
    except ValueError as error:
        raise refused(error) from error


def refused(error: ValueError) -> CascadeError:
    """Say in a sentence what Stim says in many lines of a circuit that it makes no error model of."""
    part = re.search(r"failed to decompose is '([^']*)'", str(error))
    if part:
        return CascadeError(
            f"expected errors that can be decomposed into such that flip at most two detectors, got one of {part[1]}"
        )
    names = list(dict.fromkeys(re.findall(r"\b[DL]\d+\b", str(error))))
    if not names:
        return CascadeError(f"expected a circuit that has a detector error model: {first_line(error)}")
    shown = f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}"
    return CascadeError(
        f"expected detectors and observables that are certain without noise, got {shown} that are random"
    )


def check_size(source: stim.Circuit | stim.DetectorErrorModel) -> None:
    """Check, without unrolling loops, that a circuit or error model can be unrolled.

    Raises
    ------
    CascadeError
        If it has more detectors than `limits.DETECTORS`, or more instructions than `limits.OPERATIONS`.
    """
    kind = "circuit" if isinstance(source, stim.Circuit) else "detector error model"
    if source.num_detectors > limits.DETECTORS:
        raise CascadeError(f"expected a {kind} of at most {limits.DETECTORS:,} detectors, got {source.num_detectors:,}")
    operations = unrolled(source)
    if operations > limits.OPERATIONS:
        raise CascadeError(
            f"expected a {kind} of at most {limits.OPERATIONS:,} instructions, loops unrolled, got {operations:,}"
        )


def unrolled(source: stim.Circuit | stim.DetectorErrorModel) -> int:
    """Instructions, those of loops as often as they run."""
    loops = [block for block in source if isinstance(block, (stim.CircuitRepeatBlock, stim.DemRepeatBlock))]
    return len(source) + sum(loop.repeat_count * unrolled(loop.body_copy()) for loop in loops)


def first_line(error: Exception) -> str:
    """What an error says in its first line; its type, if it says nothing."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
