"""The shipped models beside the decoders in use today: what `cascade demo` measures."""

from collections.abc import Callable, Mapping
from typing import Protocol

import stim

from cascade_qec import codes
from cascade_qec.codes import BASES, Basis
from cascade_qec.decoders import classical
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.comparison import CASCADE, Experiment, compare
from cascade_qec.evaluation.tables import Row

PS = (0.002, 0.003, 0.005)
SHOTS = 40_000
# Who decodes each code, and the shares of the decoding time that they may use. Matching takes microseconds
# for a shot; BP+OSD on all detectors of bb72 takes the better part of a second.
SHARES: Mapping[str, Mapping[str, float]] = {
    "surface_d3": {CASCADE: 2.0, "pymatching": 0.5, "pymatching-correlated": 0.5},
    "surface_d5": {CASCADE: 2.0, "pymatching": 0.5, "pymatching-correlated": 0.5},
    "bb72": {CASCADE: 3.0, "bposd": 9.0, "bposd-filtered": 3.0},
}


class Model(Decoder, Protocol):
    """What the demonstration needs of a loaded model."""

    def experiment(self, p: float, /, *, rounds: int, basis: Basis) -> stim.Circuit: ...


def demonstrate(
    models: Mapping[str, Model],
    *,
    seconds: float,
    seed: int,
    report: Callable[[float], None] = lambda done: None,
    skipped: Callable[[str], None] = lambda message: None,
) -> list[Row]:
    """Decode memory experiments of as many rounds as the code's distance, both bases pooled.

    Parameters
    ----------
    models
        The loaded model for each code of :data:`SHARES`.
    seconds
        Decoding time over all experiments and decoders; preparing them takes some ten seconds more.
    report
        Called now and then with the fraction of the demonstration that is done.
    skipped
        Told of decoders that are left out, as their package is not installed.

    Returns
    -------
    list of Row
        By code, then p, then decoder.

    Raises
    ------
    CascadeError
        If ``seconds`` is not positive.
    """
    if not seconds > 0:
        raise CascadeError(f"expected seconds > 0 to decode in, got {seconds}")
    missing: set[str] = set()
    for name in dict.fromkeys(name for shares in SHARES.values() for name in shares if name != CASCADE):
        try:
            classical.get(name).require()
        except CascadeError as error:
            skipped(f"left out: {error}")
            missing.add(name)
    present = {code: {name: t for name, t in of.items() if name not in missing} for code, of in SHARES.items()}
    unit = seconds / (len(PS) * sum(sum(shares.values()) for shares in present.values()))
    rows: list[Row] = []
    done = 0.0
    for number, (code, p) in enumerate((code, p) for code in present for p in PS):
        rounds = codes.get(code).d
        assert rounds is not None  # all codes of the demonstration are published ones
        circuits = {basis: models[code].experiment(p, rounds=rounds, basis=basis) for basis in BASES}
        part = unit * sum(present[code].values()) / seconds
        rows += compare(
            Experiment(code, p, rounds, circuits),
            {name: models[code] if name == CASCADE else classical.get(name) for name in present[code]},
            shots=SHOTS,
            seed=seed + number,
            seconds={name: unit * share for name, share in present[code].items()},
            report=lambda fraction, done=done, part=part: report(done + part * fraction),
        )
        done += part
    return rows
