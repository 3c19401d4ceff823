"""What it costs decoders to take a device's noise for uniform, and what is left of that if they learn it from shots.

    python -m workshop.studies.learnt_noise --devices 4

Every device is a d = 5 memory experiment whose channels have strengths of their own, see
`cascade_qec.circuits.scattered`. Writes results/learnt_noise.csv, a row for each device, decoder and way to learn, and
its table in docs/noise.md. When it is stopped, the same command goes on.
"""

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from cascade_qec import CascadeWarning, circuits, codes, decoders
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES
from cascade_qec.error_models import error_model
from cascade_qec.evaluation.ignorance import Ignorance, LoopRow, relearnt
from cascade_qec.statistics import Interval
from cascade_qec.tables import put_rows, read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE = RESULTS / "learnt_noise.csv"
PAGE = CHECKOUT / "docs" / "noise.md"
CODE, ROUNDS, P = "surface_d5", 5, 0.005
LOCAL = "cascade:local_surface"


@dataclass(frozen=True)
class Setting:
    """A line of the table: how far noise is scattered, what learns from how many shots, who decodes how many."""

    factor: float
    by: str
    learning: int
    decoder: str
    shots: int


SETTINGS = [
    *(
        Setting(2, by, learning, decoder, 250_000)
        for by, learning in (("channels", 100_000), ("mechanisms", 100_000), ("channels", 10_000))
        for decoder in ("pymatching", "pymatching-correlated")
    ),
    Setting(2, "channels", 100_000, LOCAL, 25_000),
    Setting(4, "channels", 100_000, "pymatching-correlated", 50_000),
    Setting(4, "channels", 100_000, LOCAL, 12_000),
    Setting(4, "channels", 100_000, "relay-bp-filtered", 12_000),
]


class DeviceRow(Ignorance):
    """What one decoder did on one device; see `Setting`."""

    code: str = CODE
    rounds: int = ROUNDS
    p: float = P
    factor: float
    device: int
    basis: str
    by: str
    learning: int
    chi_squared: float
    freedom: float
    decoder: str

    @property
    def setting(self) -> Setting:
        return Setting(self.factor, self.by, self.learning, self.decoder, self.shots)


def measured(device: int, settings: list[Setting]) -> Iterator[DeviceRow]:
    """Those of one device that is scattered by one factor and learnt in one way, on the same shots."""
    factor, by, learning = settings[0].factor, settings[0].by, settings[0].learning
    basis = BASES[device % 2]
    plain = circuits.memory(codes.get(CODE), rounds=ROUNDS, basis=basis, noise=circuits.UniformDepolarizing(P))
    truth = circuits.scattered(plain, factor, device)
    old = plain if by == "channels" else error_model(plain, decomposed=True)
    for shots in dict.fromkeys(one.shots for one in settings):
        known = {
            one.decoder: decoders.get(one.decoder, allow_unmeasured=True) for one in settings if one.shots == shots
        }
        found, results = relearnt(truth, old, known, learning=learning, shots=shots, seed=device)
        for name, counts in results.items():
            yield DeviceRow(
                factor=factor,
                device=device,
                basis=basis,
                by=by,
                learning=learning,
                chi_squared=found.chi_squared,
                freedom=found.freedom,
                decoder=name,
                **dict(counts),
            )


def lines(rows: list[DeviceRow]) -> list[str]:
    """The table of the documentation."""
    cells = []
    for setting in SETTINGS:
        own = [row for row in rows if row.setting == setting]
        if not own:
            continue
        all_ = reduce(Ignorance.__add__, own)
        cells.append(
            [
                f"{setting.factor:g}",
                setting.decoder.removeprefix("cascade:"),
                f"{setting.learning:,} by {setting.by}",
                f"{all_.shots:,}",
                f"{all_.told:,}",
                f"{all_.untold:,}",
                f"{all_.learnt:,}",
                _percent(all_.cost, all_.told / all_.shots),
                "" if all_.removed is None else _percent(all_.removed),
            ]
        )
    head = ["factor", "decoder", "learnt from", "shots", "told", "not told", "learnt", "cost of ignorance", "removed"]
    return table(head, cells, left=3)


def loop_lines(rows: list[LoopRow]) -> list[str]:
    """The table of devices that drifted."""
    cells = [
        [
            row.decoder.removeprefix("cascade:"),
            f"{row.shots:,}",
            *(f"{count:,}" for count in (row.told, row.untold, row.learnt)),
            _percent(row.cost, row.told / row.shots),
            "" if row.removed is None else _percent(row.removed),
        ]
        for row in rows
    ]
    head = ["decoder", "shots", "told", "told the old calibration", "learnt", "cost of ignorance", "removed"]
    return table(head, cells, left=1)


def _percent(figure: Interval, of: float = 1) -> str:
    value, low, high = (100 * each / of for each in (figure.value, figure.low, figure.high))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]" if of < 1 else f"{value:.0f} % [{low:.0f}, {high:.0f}]"


def with_tables(text: str) -> str:
    """The page with the tables as the results have them."""
    text = filled(text, "closed loop", loop_lines(read_rows(RESULTS / "closed_loop.csv", LoopRow)))
    return filled(text, "learnt noise", lines(read_rows(TABLE, DeviceRow)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--devices", type=int, default=8)
    devices: int = parser.parse_args().devices
    warnings.simplefilter("ignore", CascadeWarning)  # noise unlike that of training is what this is about
    done = {(row.device, row.setting) for row in read_rows(TABLE, DeviceRow)} if TABLE.exists() else set()
    ways = dict.fromkeys((one.factor, one.by, one.learning) for one in SETTINGS)
    wanted = [(device, way) for device in range(devices) for way in ways]
    with progress("devices") as report:
        for number, (device, way) in enumerate(wanted):
            settings = [one for one in SETTINGS if (one.factor, one.by, one.learning) == way]
            left = [one for one in settings if (device, one) not in done]
            if left:
                put_rows(TABLE, list(measured(device, left)), place=lambda row: (row.device, row.setting))
            report(number + 1, len(wanted))
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
