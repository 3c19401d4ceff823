"""Devices whose gates are not equally good: a model that is told how good they are, beside matching that is too.

    python -m workshop.studies.told_noise --devices 10 --shots 40000

Every device is a memory experiment with a noise of its own, see `cascade_qec.circuits.scattered`. "Told" is who has the
device's error model; others have that of the circuit before it was scattered. Writes results/told_noise.csv.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES
from cascade_qec.decoders import classical
from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import write_rows
from workshop import RESULTS

TABLE = RESULTS / "told_noise.csv"
CODES = {"surface_d5": 5, "surface_d7": 7}


class DeviceRow(Row):
    """What one decoder did on several devices.

    Attributes
    ----------
    told
        Whether it knew how good each gate was.
    noise, factor
        What was scattered, and by how much at most.
    devices
        How many, with as many shots each.
    """

    told: bool
    noise: str
    factor: float
    devices: int


@dataclass(frozen=True)
class Untold:
    """A decoder that takes every experiment for that of a noise in which like gates are equally good."""

    decoder: Decoder
    nominal: tuple[stim.Circuit, ...]

    @property
    def name(self) -> str:
        return self.decoder.name

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel) -> BoundDecoder:
        assert isinstance(experiment, stim.Circuit)
        gates = experiment.without_noise()
        return self.decoder.bind(next(own for own in self.nominal if own.without_noise() == gates))


def rows(code: str, rounds: int, noise: str, p: float, factor: float, devices: int, shots: int) -> list[DeviceRow]:
    """Every decoder on the same shots of some devices, of both bases."""
    strength = circuits.noise_model(noise, p)
    plain = {b: circuits.memory(codes.get(code), rounds=rounds, basis=b, noise=strength) for b in BASES}
    rivals = {name: classical.get(name) for name in ("pymatching", "pymatching-correlated")}
    models = {name: cascade.load(name, allow_unmeasured=True) for name in ("local_surface", "local_surface_told")}
    decoders: dict[str, Decoder] = {**models, **rivals}
    decoders |= {f"{name}, not told": Untold(each, tuple(plain.values())) for name, each in rivals.items()}
    decoders["local_surface_told, not told"] = Untold(models["local_surface_told"], tuple(plain.values()))
    found: dict[str, list[Row]] = {name: [] for name in decoders}
    with progress(f"{code}, {noise} {100 * p:g} %, devices") as report:
        for device in range(devices):
            scattered = {b: circuits.scattered(circuit, factor, device) for b, circuit in plain.items()}
            for row in compare(Experiment(code, p, rounds, scattered), decoders, shots=shots // devices, seed=device):
                found[row.decoder].append(row)
            report(device + 1, devices)
    return [
        DeviceRow(
            **first.model_dump(exclude={"decoder", "shots", "failures", "microseconds_per_shot", "seed"}),
            decoder=name.removesuffix(", not told"),
            told=name != "local_surface" and not name.endswith(", not told"),
            noise=noise,
            factor=factor,
            devices=devices,
            shots=sum(row.shots for row in of_devices),
            failures=sum(row.failures for row in of_devices),
            microseconds_per_shot=sum(row.seconds for row in of_devices) / sum(row.shots for row in of_devices) * 1e6,
            seed=0,
        )
        for name, (first, *_) in found.items()
        for of_devices in [found[name]]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--devices", type=int, default=10)
    parser.add_argument("--shots", type=int, default=40_000, help="of each code and noise, over all devices")
    parser.add_argument("--factor", type=float, default=2.0)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    found = []
    for code, rounds in CODES.items():
        for noise, p in (("uniform", 0.004), ("si1000", 0.003)):
            found += rows(code, rounds, noise, p, arguments.factor, arguments.devices, arguments.shots)
            for row in found[-7:]:
                print(f"{code} {noise} {row.decoder} told={row.told}: {row.failures} of {row.shots}", flush=True)
    write_rows(arguments.out, found)
    print(f"Table: {arguments.out}")


if __name__ == "__main__":
    main()
