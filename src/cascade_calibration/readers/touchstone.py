"""Touchstone: scattering parameters of a network analyser (.s1p, .s2p)."""

from __future__ import annotations

import re
from pathlib import Path

from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

FORMAT = "touchstone"


def fits(path: Path) -> bool:
    return path.is_file() and re.fullmatch(r"\.s\d+p", path.suffix.lower()) is not None


def read(path: Path) -> list[Measurement]:
    import skrf  # takes a second

    try:
        network = skrf.Network(str(path))
    except (ValueError, IndexError, KeyError, OSError, UnicodeDecodeError, NotImplementedError) as error:
        raise CascadeError(f"cannot be read as touchstone: {error}") from error
    ports = network.s.shape[1]
    # what goes through first, which is what readout lines show
    pairs = sorted(((i, j) for i in range(ports) for j in range(ports)), key=lambda pair: (pair[0] <= pair[1], pair))
    return [
        Measurement.of(
            {"frequency": (network.f, "Hz")},
            {f"S{i + 1}{j + 1}": (network.s[:, i, j], "") for i, j in pairs},
            name=path.stem,
            source=str(path),
        )
    ]
