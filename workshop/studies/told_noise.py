"""Devices whose gates are not equally good: a model that is told how good they are, beside matching that is too.

    python -m workshop.studies.told_noise --devices 8 --shots 24000

Every device is a memory experiment with a noise of its own, see `cascade_qec.circuits.scattered`: our circuits under
two noise models, and Stim's. "Told" is who has the device's error model; others have that of the circuit before it was
scattered. Writes results/told_noise.csv and its table in docs/local.md.
"""

import argparse
import warnings
from dataclasses import dataclass

import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES
from cascade_qec.decoders import classical
from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE = RESULTS / "told_noise.csv"
NOT_TOLD = ", not told"
PAGE = CHECKOUT / "docs" / "local.md"
CODES = {"surface_d5": 5, "surface_d7": 7}
NOISES = {"uniform": 0.004, "si1000": 0.003, "stim": 0.005}


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


def nominal(code: str, rounds: int, noise: str) -> dict[str, stim.Circuit]:
    """The circuit of each basis before it is scattered."""
    p = NOISES[noise]
    if noise != "stim":
        strength = circuits.noise_model(noise, p)
        return {b: circuits.memory(codes.get(code), rounds=rounds, basis=b, noise=strength) for b in BASES}
    channels = ("after_clifford_depolarization", "before_measure_flip_probability", "after_reset_flip_probability")
    return {
        b: stim.Circuit.generated(
            f"surface_code:rotated_memory_{b.lower()}",
            distance=rounds,
            rounds=rounds,
            **dict.fromkeys(channels, p),
        )
        for b in BASES
    }


def rows(code: str, rounds: int, noise: str, factor: float, devices: int, shots: int) -> list[DeviceRow]:
    """Every decoder on the same shots of some devices, of both bases."""
    plain, p = nominal(code, rounds, noise), NOISES[noise]
    known: dict[str, Decoder] = {"local_surface": cascade.load("local_surface", device="cpu", allow_unmeasured=True)}
    known |= {name: classical.get(name) for name in ("pymatching", "pymatching-correlated")}
    untold: dict[str, Decoder] = {
        f"{name}{NOT_TOLD}": Untold(one, tuple(plain.values())) for name, one in known.items()
    }
    found: dict[str, list[Row]] = {name: [] for name in (*known, *untold)}
    with progress(f"{code}, {noise} {100 * p:g} %, devices") as report:
        for device in range(devices):
            scattered = {b: circuits.scattered(circuit, factor, device) for b, circuit in plain.items()}
            experiment = Experiment(code, p, rounds, scattered)
            for row in compare(experiment, known | untold, shots=shots // devices, seed=device):
                found[row.decoder].append(row)
            report(device + 1, devices)
    return [_summed(of_devices, noise, factor) for of_devices in found.values()]


def _summed(of_devices: list[Row], noise: str, factor: float) -> DeviceRow:
    shots = sum(row.shots for row in of_devices)
    first = of_devices[0].model_copy(
        update={
            "decoder": of_devices[0].decoder.removesuffix(NOT_TOLD),
            "shots": shots,
            "failures": sum(row.failures for row in of_devices),
            "microseconds_per_shot": sum(row.seconds for row in of_devices) / shots * 1e6,
        }
    )
    told = not of_devices[0].decoder.endswith(NOT_TOLD)
    stored = {name: getattr(first, name) for name in Row.model_fields}
    return DeviceRow(**stored, told=told, noise=noise, factor=factor, devices=len(of_devices))


def lines(rows: list[DeviceRow]) -> list[str]:
    """The table of the documentation: failures of who is told, and of who is not."""
    columns = [
        (name, told) for told in (True, False) for name in ("local_surface", "pymatching-correlated", "pymatching")
    ]
    cells = []
    for code, noise in dict.fromkeys((row.code, row.noise) for row in rows):
        own = {(row.decoder, row.told): row for row in rows if (row.code, row.noise) == (code, noise)}
        first = own[columns[0]]
        named = f"{noise}, {100 * first.p:g} %"
        cells.append([code, named, f"{first.shots:,}", *(f"{own[column].failures:,}" for column in columns)])
    head = ["code", "noise", "shots", *(f"{name}{'' if told else NOT_TOLD}" for name, told in columns)]
    return table(head, cells, left=2)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "told noise", lines(read_rows(TABLE, DeviceRow)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--shots", type=int, default=24_000, help="of each code and noise, over all devices")
    parser.add_argument("--factor", type=float, default=2.0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # noise unlike that of training is what this is about
    found = []
    for code, rounds in CODES.items():
        for noise in NOISES:
            found += rows(code, rounds, noise, arguments.factor, arguments.devices, arguments.shots)
            write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
