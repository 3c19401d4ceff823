"""How steeply the error of models of several widths falls with the noise: results/capacity.csv.

    python -m workshop.studies.capacity benchmarks/capacity/*.toml --runs runs/capacity

The models decode a memory experiment under the noise that they were trained with, at rates from far below the threshold
to near it; matching and Tesseract decode beside them. Rows are written when a model is done. Models and rivals that
stand in the table, with these weights and these settings, are not decoded again. `cascade fit` gives the slopes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.cli.progress import percent, progress
from cascade_qec.decoders import classical
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.comparison import CASCADE, Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_rows, write_rows
from workshop import RESULTS
from workshop.cards.making import measure
from workshop.studies.trials import Trained, trained

RATES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12)
RIVALS = {"pymatching": 60.0, "pymatching-correlated": 60.0, "tesseract": 60.0}
"""Seconds of decoding at each noise rate."""
RIVAL_SHOTS = 1_000_000
TABLE = RESULTS / "capacity.csv"


def name_of(run: Trained) -> str:
    """What the table calls a model: after its width, which is all that the models differ in."""
    return f"{CASCADE}:{run.recipe.code}_H{run.recipe.network.width}"


def of_model(run: Trained, *, rates: Sequence[float], failures: int, seed: int) -> list[Row]:
    """Rows of a model, a row for each noise rate."""
    with percent(run.recipe.name) as report:
        rows = measure(
            cascade.load(str(run.model)),
            {},
            ps=rates,
            failures=failures,
            seed=seed,
            report=report,
        )
    settings = {"decoder": name_of(run), "parameters": parameters_of(run, failures)}
    return [row.model_copy(update=settings) for row in rows]


def parameters_of(run: Trained, failures: int) -> str:
    """What a model's rows depend on, besides their seed."""
    return f"weights={run.digest}, training_shots={run.shots}, failures={failures}"


def of_rival(name: str, run: Trained, *, rates: Sequence[float], shots: int, seed: int) -> list[Row]:
    """Rows of a classical decoder on the experiment of a run, a row for each noise rate."""
    recipe, rows = run.recipe, []
    with progress(name) as report:
        for index, p in enumerate(rates):
            noise = circuits.noise_model(recipe.noise.model, p)
            experiment = Experiment(
                recipe.code,
                p,
                recipe.rounds,
                {
                    basis: circuits.memory(codes.get(recipe.code), rounds=recipe.rounds, basis=basis, noise=noise)
                    for basis in recipe.bases
                },
            )
            rows += compare(
                experiment, {name: classical.get(name)}, shots=shots, seed=seed, seconds={name: RIVALS[name]}
            )
            report(index + 1, len(rates))
    return rows


def fill(
    runs: Sequence[Trained], out: Path, *, rates: Sequence[float], failures: int, rival_shots: int, seed: int
) -> list[Row]:
    """The table, with what is missing from it measured, one decoder after the other: rivals first, then the models.

    Raises
    ------
    CascadeError
        If models have one width, or differ in more than the network and its training; or if the table cannot be
        read or written.
    """
    experiments = {(run.recipe.code, run.recipe.rounds, *run.recipe.bases, run.recipe.noise.model) for run in runs}
    if len(experiments) > 1 or len({name_of(run) for run in runs}) < len(runs):
        raise CascadeError(
            f"expected models of one experiment, each of another width, got {len(runs)} of {experiments}"
        )
    table = read_rows(out, Row) if out.exists() else []

    def stands(decoder: str, parameters: str | None = None) -> bool:
        rows = [row for row in table if row.decoder == decoder]
        same = all(row.seed == seed and parameters in (None, row.parameters) for row in rows)
        return same and [row.p for row in rows] == list(rates)

    for name in RIVALS:
        if not stands(name):
            measured = of_rival(name, runs[0], rates=rates, shots=rival_shots, seed=seed)
            table = [row for row in table if row.decoder != name] + measured
            write_rows(out, table)
    for run in runs:
        if not stands(name_of(run), parameters_of(run, failures)):
            measured = of_model(run, rates=rates, failures=failures, seed=seed)
            table = [row for row in table if row.decoder != name_of(run)] + measured
            write_rows(out, table)
    return table


def main() -> None:
    arguments = _arguments()
    runs = sorted((trained(recipe, arguments.runs) for recipe in arguments.recipes), key=_width)
    table = fill(
        runs,
        arguments.out,
        rates=RATES,
        failures=arguments.failures,
        rival_shots=RIVAL_SHOTS,
        seed=arguments.seed,
    )
    for row in table:
        rate = row.block_error
        print(f"{row.decoder:<28} p = {row.p:g}  {rate.value:.3e} [{rate.low:.3e}, {rate.high:.3e}]")
    print(f"Table: {arguments.out}")


def _width(run: Trained) -> int:
    return run.recipe.network.width


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", type=Path, nargs="+")
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder of the runs' folders, each called as its recipe"
    )
    parser.add_argument("--failures", type=int, default=200, help="a model decodes until it has so many at each rate")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    if arguments.failures < 1 or arguments.seed < 0:
        parser.error(f"expected --failures >= 1 and --seed >= 0, got {arguments.failures} and {arguments.seed}")
    return arguments


if __name__ == "__main__":
    try:
        main()
    except CascadeError as error:
        sys.exit(f"error: {error}")
