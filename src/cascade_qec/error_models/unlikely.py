"""Errors that are likelier than not, replaced by such as are not: decoders assume that errors are rare."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

# Stim's text is read several times faster than its objects
_PROBABILITIES = re.compile(r"^ *error(?:\[[^]]*\])?\(([^)]*)\)", re.M)


@dataclass(frozen=True, eq=False)
class Flips:
    """What the likely errors of a model flip, all of them together.

    Attributes
    ----------
    detectors : bool [detectors]
    observables : bool [observables]
    """

    detectors: NDArray[np.bool_]
    observables: NDArray[np.bool_]


def unlikely(dem: stim.DetectorErrorModel) -> tuple[stim.DetectorErrorModel, Flips | None]:
    """A model without errors that are likelier than not, and what has to be flipped in the shots for it.

    An error of probability p flips a shot as often as one of probability 1 - p leaves it alone. So a shot in which all
    flips of the likely errors are undone is one of the model in which each happens with 1 - p: that is exact.

    Parameters
    ----------
    dem
        Any model; the parts that ``^`` suggests are kept.

    Returns
    -------
    stim.DetectorErrorModel
        `dem` itself where nothing has to be flipped. Otherwise flat, without errors that are certain to be left out.
    Flips or None
        To be undone in detection events before decoding, and in observables afterwards.
    """
    if not any(float(p) > 0.5 for p in set(_PROBABILITIES.findall(str(dem)))):
        return dem, None
    # annotations have loops even in flattened models
    flat = [each for each in dem.flattened() if isinstance(each, stim.DemInstruction)]
    flips = Flips(np.zeros(dem.num_detectors, np.bool_), np.zeros(dem.num_observables, np.bool_))
    rare = stim.DetectorErrorModel()
    for instruction in flat:
        if not _likely(instruction):
            rare.append(instruction)
            continue
        for target in (target for part in instruction.target_groups() for target in part):
            (flips.observables if target.is_logical_observable_id() else flips.detectors)[target.val] ^= True
        p = instruction.args_copy()[0]
        if p < 1:
            rare.append("error", 1 - p, [*instruction.targets_copy()])
    # so many they stay, also where an error that is left out was the only one to name the last
    if rare.num_detectors < dem.num_detectors:
        rare.append("detector", [], [stim.target_relative_detector_id(dem.num_detectors - 1)])
    if rare.num_observables < dem.num_observables:
        rare.append("logical_observable", [], [stim.target_logical_observable_id(dem.num_observables - 1)])
    return rare, flips


def _likely(instruction: stim.DemInstruction) -> bool:
    return instruction.type == "error" and instruction.args_copy()[0] > 0.5
