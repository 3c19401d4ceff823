"""A model's confidence over noise rates and bases, into tables; experiments that these have are not done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import stim

from cascade_qec.codes import BASES
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.errors import CascadeError, unknown
from cascade_qec.evaluation.reliability.measurement import CURVE, RIVALS, measure
from cascade_qec.evaluation.reliability.tables import Setting, complete, put_outcomes


def run(
    decoder: CascadeDecoder,
    rivals: Sequence[str],
    folder: Path,
    *,
    resume: bool,
    ps: Sequence[float],
    bases: Sequence[str],
    rounds: int | None,
    shots: int,
    discards: Sequence[float],
    bins: int,
    seed: int,
    report: Callable[[int, int], None],
) -> None:
    """Measure a model and its rivals on the same shots, and write the tables after each noise rate and basis.

    Parameters
    ----------
    rivals
        Names of `cascade_qec.evaluation.reliability.measurement.RIVALS`.
    resume
        Go on with its tables: what they have already must be asked for again with the same shots and seed.
    ps, bases, rounds
        Experiments; the model's rounds by default.
    shots
        Shots of each experiment, made an even number. The first half chooses thresholds.
    discards
        Discard rates besides those of the curve.
    bins
        Bins of equal mass of the calibration error.
    seed
        Each experiment has a stream of its own, whichever others there are.
    report
        Called with the shots decoded and those to decode, over all decoders.

    Raises
    ------
    CascadeError
        For bases, noise rates, rivals or tables that cannot be used; before any decoding.
    """
    if others := [basis for basis in bases if basis not in BASES]:
        raise CascadeError(f"expected bases X and Z, got {', '.join(others)}")
    if outside := [value for value in (*ps, *discards) if not 0 < value < 1]:
        raise CascadeError(f"expected noise and discard rates above 0 and below 1, got {outside[0]}")
    for name, values in (("noise rate", ps), ("basis", bases), ("rival", rivals), ("discard rate", discards)):
        if len(set(values)) != len(values):
            raise CascadeError(f"expected each {name} once, got {', '.join(map(str, values))}")
    for name in rivals:
        if name not in RIVALS:
            raise unknown("rival", name, RIVALS)
    rounds = decoder.description.rounds if rounds is None else rounds
    settings = [
        Setting(decoder.code.name, p, rounds, basis, shots + shots % 2, seed)
        for p in ps
        for basis in BASES
        if basis in bases
    ]
    rates = sorted({*CURVE, *discards})
    decoders: list[Decoder] = [decoder, *(RIVALS[name] for name in rivals)]
    for rival in decoders[1:]:
        rival.bind(_circuit(decoder, settings[0]))
    names = [contender.name for contender in decoders]
    done = complete(folder, settings, {(name, rate) for name in names for rate in rates}, resume=resume)
    left = [setting for setting in settings if setting not in done]
    decoded, total = 0, len(names) * sum(setting.shots for setting in left)

    def advance(number: int) -> None:
        nonlocal decoded
        decoded += number
        report(decoded, total)

    for setting in left:
        outcomes = measure(
            _circuit(decoder, setting),
            decoders,
            shots=setting.shots,
            seed=_stream(setting),
            discards=rates,
            report=advance,
        )
        put_outcomes(folder, setting, outcomes, bins=bins)


def _circuit(decoder: CascadeDecoder, setting: Setting) -> stim.Circuit:
    return decoder.experiment(setting.p, rounds=setting.rounds, basis=setting.basis)


def _stream(setting: Setting) -> int:
    """Seed of an experiment's shots: below 2^63, as Stim wants it."""
    p = int(np.float64(setting.p).view(np.uint64))
    words = [setting.seed, p, setting.rounds, BASES.index(setting.basis)]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))
