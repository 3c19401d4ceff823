"""Circuits that measure checks as products, without ancillas."""

import numpy as np
import pytest
import stim

import cascade_qec
from cascade_qec import codes
from cascade_qec.decoders import classical
from cascade_qec.recognition import recognise

CHECKS = {"X": ((0, 1), (1, 2, 4, 5), (3, 4, 6, 7), (7, 8)), "Z": ((0, 1, 3, 4), (2, 5), (3, 6), (4, 5, 7, 8))}
PRODUCTS = [tuple(f"{basis}{qubit}" for qubit in check) for basis in "XZ" for check in CHECKS[basis]]
PLACES = ("2,0", "4,2", "2,4", "4,6", "2,2", "6,2", "0,4", "4,4")


def by_products(row: int, p: float = 0.005, rounds: int = 3) -> str:
    """Of surface_d3 in basis Z, every check an MPP; the observable is one of the code's three rows."""
    data = "0 1 2 3 4 5 6 7 8"
    lines = [f"R {data}"]
    for time in range(rounds):
        lines += [f"DEPOLARIZE1({p}) {data}", f"MPP({p}) {' '.join(map('*'.join, PRODUCTS))}"]
        for k in range(8) if time else range(4, 8):
            lines.append(f"DETECTOR({PLACES[k]}) rec[{k - 8}]" + (f" rec[{k - 16}]" if time else ""))
    lines.append(f"M {data}")
    for k, check in enumerate(CHECKS["Z"], start=4):
        lines.append(f"DETECTOR({PLACES[k]}) rec[{k - 17}] " + " ".join(f"rec[{qubit - 9}]" for qubit in check))
    return "\n".join([*lines, "OBSERVABLE_INCLUDE(0) " + " ".join(f"rec[{3 * row + i - 9}]" for i in range(3))])


def in_pairs(text: str) -> str:
    """Products of two as the instructions for pairs, others one by one."""
    lines = []
    for line in text.splitlines():
        if line.startswith("MPP"):
            for product in PRODUCTS:
                pair = len(product) == 2
                targets = " ".join(pauli[1:] for pauli in product) if pair else "*".join(product)
                lines.append(f"{'M' + 2 * product[0][0] if pair else 'MPP'}(0.005) {targets}")
        else:
            lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("written", [str, in_pairs, lambda text: text.replace("MPP", "DEPOLARIZE1(0.001) 4\nMPP")])
def test_observables_are_the_ones_that_errors_flip(row, written, confirm_map):
    circuit = stim.Circuit(written(by_products(row)))
    for source in (circuit, circuit.detector_error_model()):
        confirm_map(recognise(source, codes.get("surface_d3")), source)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*leave open which basis or direction of time")  # the error model's
@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_model_decodes_them_whatever_the_representative(row):
    """10^4 shots, seed 1: no more failures than matching has, some 16."""
    circuit = stim.Circuit(by_products(row))
    model = circuit.detector_error_model(decompose_errors=True)
    events, flips = circuit.compile_detector_sampler(seed=1).sample(10_000, separate_observables=True)
    matching = classical.get("pymatching").bind(circuit).decode_batch(events).observables
    for source in (circuit, model):
        found = cascade_qec.load("surface_d3", circuit=source, device="cpu").decode_batch(events).observables
        assert np.count_nonzero(found != flips) <= np.count_nonzero(matching != flips)
