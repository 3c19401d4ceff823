"""``cascade calibration loop``: a device drifts, its noise is learnt from shots, and decoders are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Seed, there

if TYPE_CHECKING:
    from cascade_calibration.devices import Device
    from cascade_qec.evaluation.ignorance import Ignorance, LoopRow


def loop(
    device: Annotated[
        Path | None, typer.Argument(help="A device before it drifts.  [default: a made-up one]", callback=there)
    ] = None,
    code: Annotated[str, typer.Option(help="Name of a code, see `cascade codes list`.")] = "surface_d3",
    rounds: Annotated[int, typer.Option(min=1, max=limits.ROUNDS, help="Rounds of syndrome extraction.")] = 5,
    drift: Annotated[
        float, typer.Option(min=1, max=100, help="Factor by which a fifth of gates, readouts and qubits get worse.")
    ] = 4.0,
    decoder: Annotated[
        list[str] | None, typer.Option(help="Who decodes; repeat.  [default: pymatching, pymatching-correlated]")
    ] = None,
    learning: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Shots to learn from.")] = 100_000,
    shots: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Other shots, to decode.")] = 100_000,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Table to put the results into: .csv.")] = None,
) -> None:
    """Let a device drift, learn its noise anew from shots, and decode others with what was known and what was learnt.

    Decoders are told the device's calibration from before the drift, the model learnt from detection events, and the
    truth, on the same shots.
    """
    from cascade_calibration.devices import read_device
    from cascade_calibration.simulation.devices import drifted, grid_device
    from cascade_qec import codes
    from cascade_qec.cli.progress import NOTHING_KEPT, interruptible
    from cascade_qec.cli.table import Column, show
    from cascade_qec.evaluation.ignorance import LoopRow
    from cascade_qec.files import check_folder
    from cascade_qec.tables import put_rows

    if out is not None:
        check_folder(out.parent)
    size = codes.get(code).d or 3
    before = read_device(device) if device is not None else grid_device(2 * size + 1, seed)
    names = decoder or ["pymatching", "pymatching-correlated"]
    with interruptible(NOTHING_KEPT):
        after = drifted(before, drift, seed)
        found = closed_loop(before, after, code, names, rounds=rounds, learning=learning, shots=shots, seed=seed)
    rows = [
        LoopRow(
            device=before.name,
            code=code,
            rounds=rounds,
            drift=drift,
            seed=seed,
            learning=learning,
            decoder=name,
            **dict(counts),
        )
        for name, counts in found.items()
    ]
    columns = [
        Column[LoopRow]("decoder", lambda row: row.decoder),
        Column[LoopRow]("told the old\ncalibration", lambda row: f"{row.untold:,}", right=True),
        Column[LoopRow]("told what the\nshots say", lambda row: f"{row.learnt:,}", right=True),
        Column[LoopRow]("told the\ntruth", lambda row: f"{row.told:,}", right=True),
        Column[LoopRow]("of the difference\nthe shots save", _saved, right=True),
    ]
    show(rows, columns, title=f"{before.name} after a drift: failures of {code} in {shots:,} shots")
    if out is not None:
        place = ("device", "code", "rounds", "drift", "seed", "learning", "decoder")
        put_rows(out, rows, place=lambda row: tuple(getattr(row, name) for name in place))
        print(f"Table: {out}")


def _saved(row: LoopRow) -> str:
    if row.removed is None:
        return "too little to tell"
    return f"{row.removed.value:.0%} [{row.removed.low:.0%}, {row.removed.high:.0%}]"


def closed_loop(
    before: Device,
    after: Device,
    code: str,
    decoders: Sequence[str],
    *,
    rounds: int,
    learning: int,
    shots: int,
    seed: int,
) -> Mapping[str, Ignorance]:
    """What decoders do on a device that is not any more what its calibration says, by name.

    The code is put on the best place of the device as it was. The error model is learnt from `learning` shots of the
    device as it is, beginning with the calibration before; `shots` others are decoded.

    Raises
    ------
    CascadeError
        If the code does not fit on the device, or there is no decoder of a name.
    """
    from cascade_calibration.devices.placement import placed
    from cascade_calibration.noise import code_pairs, device_noise
    from cascade_qec import circuits, codes
    from cascade_qec import decoders as by_name
    from cascade_qec.evaluation.ignorance import relearnt

    wanted = codes.get(code)
    layout = placed(code_pairs(wanted), before)
    old, truth = (
        circuits.memory(wanted, rounds=rounds, noise=device_noise(device, wanted, layout)) for device in (before, after)
    )
    known = {name: by_name.get(name, allow_unmeasured=True) for name in decoders}
    return relearnt(truth, old, known, learning=learning, shots=shots, seed=seed)[1]
