"""Colour codes by a local model: ordered statistics, or Chromobius on what its likely components leave.

    python -m workshop.studies.colour_residual --shots 8000

Chromobius alone, the model as it is, and the model as a pre-decoder decode the same shots. A pre-decoder takes the
components that are likelier than not out of a shot; Chromobius explains the events that are left, with the weights of
the experiment's noise. What the table has is kept. Writes results/colour_residual.csv and its table in docs/codes.md.
"""

import argparse
import warnings
from dataclasses import dataclass
from typing import Any

import stim
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec import codes
from cascade_qec.codes import BASES
from cascade_qec.decoders import DecodeResult, classical, events
from cascade_qec.decoders.local import LocalDecoder, LocalPart
from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import put_rows, read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE = RESULTS / "colour_residual.csv"
PAGE = CHECKOUT / "docs" / "codes.md"
MODEL, RESIDUAL, RIVAL = "local_colour", "local_colour, then chromobius", "chromobius"
CODES = ("colour_d3", "colour_d5", "colour_d7")
RATES = (0.001, 0.003, 0.005)


@dataclass(frozen=True)
class PreDecoder:
    """A local model that decides what is likely alone, and leaves the rest to Chromobius on the basis' own detectors.

    It takes our own experiments, whose observables are the code's.
    """

    model: LocalDecoder
    name: str = RESIDUAL

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> "BoundPreDecoder":
        (part,) = self.model.bind(experiment).parts
        return BoundPreDecoder(part, classical.get(f"{RIVAL}-filtered").bind(experiment))


@dataclass(frozen=True)
class BoundPreDecoder:
    part: LocalPart
    rest: BoundDecoder

    def decode_batch(self, detection_events: NDArray[Any], /, *, bit_packed: bool = False) -> DecodeResult:
        packed = detection_events if bit_packed else events.packed(detection_events)
        shown = events.unpacked(packed, self.part.lattice.detectors)
        flips, left = self.part.components.committed(self.part.log_odds(packed), shown)
        return DecodeResult(flips ^ self.rest.decode_batch(left).observables)


def rows(code: str, p: float, shots: int) -> list[Row]:
    """The three on the same shots, of both bases."""
    model = cascade.load(MODEL, device="cpu")
    assert isinstance(model, LocalDecoder)
    decoders: dict[str, Decoder] = {RIVAL: classical.get(RIVAL), RESIDUAL: PreDecoder(model), MODEL: model}
    d = codes.get(code).d
    assert d is not None
    return compare(Experiment.memory(code, p, d, BASES, "uniform"), decoders, shots=shots, seed=2026)


def lines(rows: list[Row]) -> list[str]:
    """The table of the documentation."""
    names = (RIVAL, RESIDUAL, MODEL)
    cells = []
    for code, p in dict.fromkeys((row.code, row.p) for row in rows):
        own = {row.decoder: row for row in rows if (row.code, row.p) == (code, p)}
        told = ("{:,}<br>{} [{}]".format(own[name].failures, *own[name].block_error.texts()) for name in names)
        cells.append([code, f"{100 * p:g} %", f"{own[MODEL].shots:,}", *told])
    return table(["code", "p", "shots", *names], cells, left=2)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "colour codes by a local model", lines(read_rows(TABLE, Row)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--shots", type=int, default=8_000, help="of each code and noise rate, three times as many at 0.1 %%"
    )
    parser.add_argument("--codes", nargs="+", default=CODES)
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    arguments = parser.parse_args()
    if arguments.shots < 1:
        parser.error(f"expected --shots >= 1, got {arguments.shots}")
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # what a pre-decoder leaves does not look like shots
    known = {(row.code, row.p) for row in read_rows(TABLE, Row)} if TABLE.exists() else set()
    for code in arguments.codes:
        for p in arguments.rates:
            if (code, p) not in known:
                shots = arguments.shots * (3 if p == min(RATES) else 1)
                put_rows(TABLE, rows(code, p, shots), place=lambda row: (row.code, row.p, row.decoder))
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
