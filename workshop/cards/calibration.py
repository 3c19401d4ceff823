"""What a model's log-odds are worth, found out after training and written into its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.decoders.loading import load
from cascade_qec.decoders.local import LocalDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.guards import Claims, claims
from cascade_qec.model import Calibration, ModelDescription, calibrated, model_bytes
from cascade_qec.nn import CascadeNetwork, load_network, rebuilt, state_of
from cascade_qec.training.validation import Validator

RATES = (0.002, 0.003, 0.005)

SEED = 0x63616C
"""Of the shots; no recipe and no other measurement has it."""

_BATCH = 25


def calibrate(
    path: Path,
    *,
    ps: Sequence[float] = RATES,
    shots: int,
    device: torch.device,
    dtype: torch.dtype,
    rounds: Sequence[int] = (),
    most_rounds: int = limits.ROUNDS,
    report: Callable[[int], None] = lambda shots: None,
) -> Claims | None:
    """Fit a calibration to the first half of some shots, and write it into the model's file. Weights stay as they are.

    Parameters
    ----------
    path
        The model's file, of any format; it is written in the latest one.
    ps, shots
        Noise rates, and shots of each basis at each of them.
    rounds
        Those that a model is lengthened to, see `ModelDescription.lengthened`.
    most_rounds
        Leave longer experiments out, but not the model's own: where they are decoded worse, what is fitted to all
        claims too much of the others.
    report
        Called after each batch with the number of shots in it.

    Returns
    -------
    Claims or None
        What the second half of the shots says of it; None where too few decisions are wrong, and the file stays as it
        was.
    """
    network, made = load_network(path)
    if made.head == "local":
        calibration, seen = _of_gaps(path, ps, shots, device, dtype, report)
        return _written(path, network, made, calibration, seen)
    if rounds:
        made = made.lengthened(rounds)
        network = rebuilt(made, state_of(network))
    network.to(device)
    longest = max(most_rounds, made.rounds)
    fitted = made.mixed_rounds and [number for number in made.mixed_rounds if number <= longest]
    uncalibrated = made.model_copy(update={"calibration": None, "mixed_rounds": fitted})
    validator = Validator(uncalibrated, device=device, dtype=dtype, batch=_BATCH, seed=SEED)
    found = validator(network, ps, shots, report)
    return _written(path, network, made, found.calibration, found.guards.confidence)


def _written(
    path: Path, network: CascadeNetwork, made: ModelDescription, calibration: Calibration | None, seen: Claims | None
) -> Claims | None:
    if calibration is None:
        return None
    with written_whole(path) as file:
        file.write(model_bytes(state_of(network), made.model_copy(update={"calibration": calibration})))
    return seen


def _of_gaps(
    path: Path,
    ps: Sequence[float],
    shots: int,
    device: torch.device,
    dtype: torch.dtype,
    report: Callable[[int], None],
) -> tuple[Calibration | None, Claims | None]:
    """What the gaps of a local model are worth, on the code and rounds of its training."""
    decoder = load(path, device=str(device), precision="bfloat16" if dtype == torch.bfloat16 else "float32")
    assert isinstance(decoder, LocalDecoder)
    made = decoder.description
    gaps: dict[float, list[NDArray[np.float32]]] = {p: [] for p in ps}
    wrong: dict[float, list[NDArray[np.bool_]]] = {p: [] for p in ps}
    for number, (p, basis) in enumerate(product(ps, made.bases)):
        circuit = decoder.experiment(p, basis=basis)
        part = decoder.bind(circuit).parts[0]
        if not part.tells_gaps:
            raise CascadeError(f"expected a local model whose answers have gaps, got {made.name}")
        sampler = circuit.compile_detector_sampler(seed=(SEED << 8) + number)
        for start in range(0, shots, _BATCH):
            size = min(_BATCH, shots - start)
            events, flips = sampler.sample(size, separate_observables=True, bit_packed=True)
            decided = part.decide(events, gaps=True)
            gaps[p].append(decided.log_odds)
            wrong[p].append((np.packbits(decided.observables, axis=1, bitorder="little") != flips).any(axis=1))
            report(size)
    odds = {p: np.concatenate(gaps[p]) for p in ps}
    failed = {p: np.concatenate(wrong[p]) for p in ps}
    one, other = slice(0, None, 2), slice(1, None, 2)
    fitted, missed = np.concatenate([odds[p][one] for p in ps]), np.concatenate([failed[p][one] for p in ps])
    calibration = calibrated(fitted, missed, noise=list(ps), shots=shots // 2)
    if calibration is None:
        return None, None
    return calibration, claims({p: calibration(odds[p][other]) for p in ps}, {p: failed[p][other] for p in ps})
