"""Shots that a model gets right and a rival wrong, and the other way round, for the page in the browser to show.

    python -m workshop.studies.disagreements [bb72 ...]

Rows of models that are not named stay. Writes results/disagreements.csv: of each model and rival, the first shots of
each kind, and how many there were of it. `python -m workshop pages` puts them into the page, which decodes them with
the network again. Rivals are those that the page cannot run itself.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec.cli.progress import progress
from cascade_qec.decoders import classical
from cascade_qec.error_models import error_model
from cascade_qec.page.model_file import BASIS
from cascade_qec.tables import Circumstances, circumstances, read_rows, write_rows
from workshop import RESULTS

TABLE, SEED, KEPT = RESULTS / "disagreements.csv", 20, 12
RIVALS = {
    "surface_d3": ("pymatching-correlated", 0.005, 20_000),
    "surface_d5": ("pymatching-correlated", 0.005, 20_000),
    "surface_d7": ("pymatching-correlated", 0.005, 20_000),
    "bb72": ("relay-bp-filtered", 0.003, 10_000),
}
"""Of each model the rival, the strength of uniform noise, and shots."""


class Disagreement(Circumstances):
    """A shot, with what was said of it: masks of observables.

    Attributes
    ----------
    shots, of_kind
        Shots that were decoded, and how many of them the same decoders got right and wrong.
    mechanisms
        What happened: numbers in the circuit's error model, with spaces between.
    """

    model: str
    rival: str
    p: float
    seed: int
    shots: int
    of_kind: int
    shot: int
    mechanisms: str
    truth: int
    network: int
    rival_says: int


def rows(model: str, rival: str, p: float, shots: int) -> list[Disagreement]:
    """The first shots that the model alone, the rival alone, and both get wrong."""
    decoder = cascade.load(model, device="cpu")
    circuit = decoder.experiment(p, basis=BASIS)
    events, truth, happened = error_model(circuit).compile_sampler(seed=SEED).sample(shots, return_errors=True)
    assert happened is not None
    says = [
        bound.decode_batch(events).observables for bound in (decoder.bind(circuit), classical.get(rival).bind(circuit))
    ]
    wrong = [(said != truth).any(axis=1) for said in says]
    found = []
    for kind in ((True, False), (False, True), (True, True)):
        of_kind = np.flatnonzero((wrong[0] == kind[0]) & (wrong[1] == kind[1]))
        found += [
            Disagreement(
                model=model,
                rival=rival,
                p=p,
                seed=SEED,
                shots=shots,
                of_kind=len(of_kind),
                shot=shot,
                mechanisms=" ".join(map(str, np.flatnonzero(happened[shot]).tolist())),
                truth=_mask(truth[shot]),
                network=_mask(says[0][shot]),
                rival_says=_mask(says[1][shot]),
                **circumstances(),
            )
            for shot in of_kind[:KEPT].tolist()
        ]
    return found


def _mask(observables: NDArray[np.bool_]) -> int:
    return int(observables @ (1 << np.arange(len(observables))))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="MODEL", help=f"of {', '.join(RIVALS)}; by default all")
    names = parser.parse_args().names or list(RIVALS)
    if unknown := [name for name in names if name not in RIVALS]:
        parser.error(f"expected models of {', '.join(RIVALS)}, got {unknown[0]}")
    found = [row for row in read_rows(TABLE, Disagreement) if row.model not in names]
    with progress("disagreements, models") as report:
        for number, model in enumerate(names, start=1):
            found += rows(model, *RIVALS[model])
            report(number, len(names))
    write_rows(TABLE, found)
    print(f"Table: {TABLE}")


if __name__ == "__main__":
    main()
