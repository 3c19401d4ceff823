"""Where the errors of a model come from: what has a rate of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.circuits.locations import Location, Strengths, with_strengths
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError

_TAGS = re.compile(r"^error\[(\d+)\]", re.M)
_DEPOLARIZED = {"DEPOLARIZE1": 3 / 4, "DEPOLARIZE2": 15 / 16}
"""Strength at which a channel has erased all information; that of a flip is 1/2."""


@dataclass(frozen=True, eq=False)
class Sources:
    """Of a circuit each noise channel on each of its targets, wherever it comes; of an error model each mechanism.

    A mechanism's rate is ``-log(1 - 2 p)``: rates of errors that look alike add up. A source that is `factor` times as
    strong has `factor` times the rate of each of its mechanisms.

    Attributes
    ----------
    model : stim.Circuit or stim.DetectorErrorModel
        Flat, if it is an error model.
    names : tuple of str
        Of each source.
    mechanisms : Mechanisms
        Each of one source alone. Those that look alike may come several times.
    source : int64 [mechanisms]
    """

    model: stim.Circuit | stim.DetectorErrorModel
    names: tuple[str, ...]
    mechanisms: Mechanisms
    source: NDArray[np.int64]

    @classmethod
    def of(cls, model: stim.Circuit | stim.DetectorErrorModel) -> Sources:
        """Those of a circuit or error model; what never happens is left out.

        Raises
        ------
        CascadeError
            If it has no detectors or no errors, such as are as likely as not or more, or no error model.
        """
        if isinstance(model, stim.Circuit):
            number: dict[Location, int] = {}
            tagged = error_model(
                with_strengths(model, lambda _, same: same, lambda at: str(number.setdefault(at, len(number))))
            )
            source = np.array([int(tag) for tag in _TAGS.findall(str(tagged))], dtype=np.int64)
            names, mechanisms = tuple(map(_name, number)), Mechanisms.of(tagged)
        else:
            model = model.flattened()
            errors = [line for line in model if _happens(line)]
            names = tuple(" ".join(map(str, line.targets_copy())) for line in errors)
            mechanisms, source = Mechanisms.of(model), np.arange(len(errors))
        if not mechanisms.detectors or not len(source):
            raise CascadeError(
                "expected a model with errors that detectors see, "
                f"got {mechanisms.detectors} detectors and {len(source)} errors"
            )
        if mechanisms.probability.max() >= 1 / 2:
            raise CascadeError(
                f"expected errors less likely than not, got one of probability {mechanisms.probability.max():g}"
            )
        return cls(model, names, mechanisms, source)

    @property
    def rate(self) -> NDArray[np.float64]:
        """Rate of each mechanism: float64 [mechanisms]."""
        return -np.log1p(-2 * self.mechanisms.probability)

    def scaled(self, factor: NDArray[np.float64]) -> stim.Circuit | stim.DetectorErrorModel:
        """The model with each source so many times as strong, float64 [sources]; all else is as it was."""
        if isinstance(self.model, stim.Circuit):
            number: dict[Location, int] = {}

            def change(location: Location, strengths: Strengths) -> Strengths:
                times, most = factor[number.setdefault(location, len(number))], _DEPOLARIZED.get(location[0], 1 / 2)
                changed = [_times(strength, times, most) for strength in strengths]
                # the Paulis of one channel exclude each other
                return [one / max(1, sum(changed)) for one in changed]

            return with_strengths(self.model, change)
        scaled, each = stim.DetectorErrorModel(), iter(factor)
        for line in self.model:
            if _happens(line):
                p = _times(line.args_copy()[0], next(each), 1 / 2)
                scaled.append("error", p, [*line.targets_copy()], tag=line.tag)
            else:
                scaled.append(line)
        return scaled


def _happens(line: stim.DemInstruction | stim.DemRepeatBlock) -> TypeGuard[stim.DemInstruction]:
    return line.type == "error" and line.args_copy()[0] > 0  # pyright: ignore[reportAttributeAccessIssue]


def _times(strength: float, factor: float, most: float) -> float:
    """A channel that is `factor` times as strong: as if it came so many times."""
    return float(-most * np.expm1(factor * np.log1p(-strength / most))) if strength < most else strength


def _name(location: Location) -> str:
    name, targets = location
    return " ".join([name, *map(_word, targets)])


def _word(target: stim.GateTarget) -> str:
    pauli = "" if target.is_qubit_target else target.pauli_type
    return f"{'!' * target.is_inverted_result_target}{pauli}{target.value}"
