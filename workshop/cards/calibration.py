"""What a model's log-odds are worth, found out after training and written into its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from cascade_qec.files import written_whole
from cascade_qec.guards import Claims
from cascade_qec.model import model_bytes
from cascade_qec.nn import load_network, state_of
from cascade_qec.training.validation import Validator

RATES = (0.002, 0.003, 0.005)

SEED = 0x63616C
"""Of the shots; no recipe and no other measurement has it."""

_BATCH = 100


def calibrate(
    path: Path,
    *,
    ps: Sequence[float] = RATES,
    shots: int,
    device: torch.device,
    dtype: torch.dtype,
    report: Callable[[int], None] = lambda shots: None,
) -> Claims | None:
    """Fit a calibration to the first half of some shots, and write it into the model's file. Weights stay as they are.

    Parameters
    ----------
    path
        The model's file, of any format; it is written in the latest one.
    ps, shots
        Noise rates, and shots of each basis at each of them.
    report
        Called after each batch with the number of shots in it.

    Returns
    -------
    Claims or None
        What the second half of the shots says of it; None where too few decisions are wrong, and the file stays as it
        was.
    """
    network, made = load_network(path)
    network.to(device)
    uncalibrated = made.model_copy(update={"calibration": None})
    validator = Validator(uncalibrated, device=device, dtype=dtype, batch=_BATCH, seed=SEED)
    found = validator(network, ps, shots, report)
    if found.calibration is None:
        return None
    with written_whole(path) as file:
        file.write(model_bytes(state_of(network), made.model_copy(update={"calibration": found.calibration})))
    return found.guards.confidence
