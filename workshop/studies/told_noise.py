"""Devices whose gates are not equally good: a model that is told how good they are, beside matching that is too.

    python -m workshop.studies.told_noise --devices 8 --shots 24000

Every device is a memory experiment with a noise of its own, see `cascade_qec.circuits.scattered`: our circuits under
two noise models, and Stim's. "Told" is who has the device's error model; others have that of the circuit before it was
scattered. What the table has is kept. Writes results/told_noise.csv and its table in docs/local.md.
"""

import argparse
import warnings
from dataclasses import dataclass
from typing import Self

import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes, decoders
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
PAIRED = "local_surface+bposd-lowest"
TOLD = ("local_surface", PAIRED, "pymatching-correlated", "pymatching")
UNTOLD = ("local_surface", "pymatching-correlated", "pymatching")
COLUMNS = [*((name, True) for name in TOLD), *((name, False) for name in UNTOLD)]
"""Who decodes, and whether it is told."""


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

    @classmethod
    def of(cls, row: Row, *, told: bool, noise: str, factor: float, devices: int) -> Self:
        """A row of a comparison, and what the devices were."""
        stored = {name: getattr(row, name) for name in Row.model_fields}
        return cls(**stored, told=told, noise=noise, factor=factor, devices=devices)


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


def decoder(name: str) -> Decoder:
    """One of them by its name."""
    return decoders.get(name if name in classical.names() else f"cascade:{name}", device="cpu")


def rows(
    code: str, noise: str, columns: list[tuple[str, bool]], factor: float, devices: int, shots: int
) -> list[DeviceRow]:
    """Some of the decoders on the same shots of some devices, of both bases."""
    rounds = CODES[code]
    plain, p = nominal(code, rounds, noise), NOISES[noise]
    known: dict[str, Decoder] = {
        name if told else f"{name}{NOT_TOLD}": decoder(name) if told else Untold(decoder(name), tuple(plain.values()))
        for name, told in columns
    }
    found: dict[str, list[Row]] = {name: [] for name in known}
    with progress(f"{code}, {noise} {100 * p:g} %, devices") as report:
        for device in range(devices):
            scattered = {b: circuits.scattered(circuit, factor, device) for b, circuit in plain.items()}
            experiment = Experiment(code, p, rounds, scattered)
            for row in compare(experiment, known, shots=shots // devices, seed=device):
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
    return DeviceRow.of(first, told=told, noise=noise, factor=factor, devices=len(of_devices))


def lines(rows: list[DeviceRow]) -> list[str]:
    """The table of the documentation: failures of who is told, and of who is not."""
    cells = []
    for code, noise in dict.fromkeys((row.code, row.noise) for row in rows):
        own = {(row.decoder, row.told): row for row in rows if (row.code, row.noise) == (code, noise)}
        first = own[COLUMNS[0]]
        named = f"{noise}, {100 * first.p:g} %"
        failures = [f"{own[column].failures:,}" if column in own else "" for column in COLUMNS]
        cells.append([code, named, f"{first.shots:,}", *failures])
    head = [f"{name.replace('+', '<br>+ ')}{'' if told else NOT_TOLD}" for name, told in COLUMNS]
    return table(["code", "noise", "shots", *head], cells, left=2)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "told noise", lines(read_rows(TABLE, DeviceRow)))


def _place(row: DeviceRow) -> tuple[int, int, int]:
    return list(CODES).index(row.code), list(NOISES).index(row.noise), COLUMNS.index((row.decoder, row.told))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--codes", nargs="+", choices=CODES, default=list(CODES))
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=list(NOISES))
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--shots", type=int, default=24_000, help="of each code and noise, over all devices")
    parser.add_argument("--factor", type=float, default=2.0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # noise unlike that of training is what this is about
    found: list[DeviceRow] = read_rows(TABLE, DeviceRow) if TABLE.exists() else []
    for code in arguments.codes:
        for noise in arguments.noises:
            have = {(row.decoder, row.told) for row in found if (row.code, row.noise) == (code, noise)}
            columns = [column for column in COLUMNS if column not in have]
            if columns:
                found += rows(code, noise, columns, arguments.factor, arguments.devices, arguments.shots)
                found.sort(key=_place)
                write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
