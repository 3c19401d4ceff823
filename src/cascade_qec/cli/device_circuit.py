"""``cascade calibration circuit``: a memory experiment with the noise of a device."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import printed_beside, there


def circuit(
    device: Annotated[
        Path,
        typer.Argument(
            help="A device: our own .toml or .json, or .json of Cirq's calibration or Qiskit's backend properties.",
            callback=there,
        ),
    ],
    code: Annotated[str, typer.Option(help="Name of a code, see `cascade codes list`.")],
    out: Annotated[Path, typer.Option(help="File for the circuit, which Stim reads; - is standard output.")],
    rounds: Annotated[
        int | None, typer.Option(min=1, max=limits.ROUNDS, help="Rounds of syndrome extraction.  [default: d]")
    ] = None,
    basis: Annotated[Literal["X", "Z"], typer.Option(help="Basis of the initial reset and the readout.")] = "Z",
) -> None:
    """Write a memory experiment with a device's noise, qubit by qubit and pair by pair.

    The code is put where gates and readout are best. Decoders that are told the circuit know the device's noise.
    """
    from cascade_calibration.devices import read_device
    from cascade_calibration.devices.placement import placed
    from cascade_calibration.noise import code_pairs, device_noise
    from cascade_qec import circuits, codes
    from cascade_qec.cli.table import percent
    from cascade_qec.errors import CascadeError
    from cascade_qec.files import check_distinct, written_whole

    check_distinct([device], [out])
    known, wanted = read_device(device), codes.get(code)
    rounds = rounds or wanted.d
    if rounds is None:
        raise CascadeError(f"expected --rounds, as the distance of {code} is not known")
    layout = placed(code_pairs(wanted), known)
    noise = device_noise(known, wanted, layout)
    made = circuits.memory(wanted, rounds=rounds, basis=basis, noise=noise)
    with written_whole(out) as file:
        file.write(f"{made}\n".encode())
    gates = [known.pair_error(layout[a], layout[b]) or 0.0 for a, b in code_pairs(wanted)]
    readout = [known.qubits[name].readout_error for name in layout]
    with printed_beside(out):
        print(f"device: {known.name}, {len(known.qubits)} qubits, {len(known.pairs)} pairs")
        print(f"qubits of {wanted.name}: {' '.join(layout)}")
        print(f"errors: {percent(sum(gates) / len(gates))} a gate, {percent(sum(readout) / len(readout))} a readout")
        print(f"circuit: {out}")
