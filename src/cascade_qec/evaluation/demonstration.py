"""The shipped models beside the decoders in use today: what `cascade demo` measures."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import stim

from cascade_qec import codes
from cascade_qec.codes.css import BASES, Basis
from cascade_qec.decoders import classical
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.comparison import (
    CascadeLike,
    Contender,
    Experiment,
    cascade_contender,
    classical_contender,
    compare,
)
from cascade_qec.evaluation.tables import Row

CASCADE = "cascade"
PS = (0.002, 0.003, 0.005)
SHOTS = 40_000
# Who decodes each code, and the shares of the decoding time that they may use. Matching takes microseconds
# for a shot; BP+OSD on all detectors of bb72 takes the better part of a second.
SHARES: Mapping[str, Mapping[str, float]] = {
    "surface_d3": {CASCADE: 2.0, "pymatching": 0.5, "pymatching-correlated": 0.5},
    "surface_d5": {CASCADE: 2.0, "pymatching": 0.5, "pymatching-correlated": 0.5},
    "bb72": {CASCADE: 3.0, "bposd": 9.0, "bposd-filtered": 3.0},
}


class Model(CascadeLike, Protocol):
    """What the demonstration needs of a loaded model."""

    def experiment(self, p: float, rounds: int | None = None, basis: Basis = "Z") -> stim.Circuit: ...


def demonstrate(
    load: Callable[[str], Model],
    *,
    seconds: float,
    seed: int,
    report: Callable[[float], None] = lambda done: None,
) -> Iterator[list[Row]]:
    """Decode memory experiments of as many rounds as the code's distance, both bases pooled.

    Parameters
    ----------
    load
        Gives the model for a code of :data:`SHARES`, by its name.
    seconds
        Decoding time over all experiments and decoders; preparing them takes some ten seconds more.
    seed
        Seed of all shots.
    report
        Called now and then with the fraction of the demonstration that is done.

    Yields
    ------
    list of Row
        The decoders of one code at one p.

    Raises
    ------
    CascadeError
        If ``seconds`` is not positive, ``seed`` is negative, or a model or package is missing.
    """
    if not seconds > 0 or seed < 0:
        raise CascadeError(f"expected seconds > 0 and seed >= 0, got seconds = {seconds:g}, seed = {seed}")
    unit = seconds / (len(PS) * sum(sum(shares.values()) for shares in SHARES.values()))
    # All models are there, or we fail before the first shot.
    models = {code: load(code) for code in SHARES}
    spent = 0.0
    for c, (code, shares) in enumerate(SHARES.items()):
        contenders = [_contender(name, models[code], unit * share) for name, share in shares.items()]
        part = unit * sum(shares.values()) / seconds
        for i, p in enumerate(PS):
            yield compare(
                _experiment(code, models[code], p),
                contenders,
                shots=SHOTS,
                seed=seed + len(PS) * c + i,
                report=lambda done, before=spent, part=part: report(before + part * done),
            )
            spent += part


def _contender(name: str, model: Model, seconds: float) -> Contender:
    if name == CASCADE:
        return cascade_contender(name, model, seconds=seconds)
    return classical_contender(classical.get(name), seconds=seconds)


def _experiment(code: str, model: Model, p: float) -> Experiment:
    rounds = codes.get(code).d
    assert rounds is not None  # all codes of the demonstration are published ones
    circuits = {basis: model.experiment(p, rounds=rounds, basis=basis) for basis in BASES}
    return Experiment(code, p, rounds, circuits)
