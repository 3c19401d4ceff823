"""What each trial of training is worth beside the baseline, on the same shots: results/trials_CODE.csv.

    python -m workshop.studies.trials benchmarks/trials/bb72_continued/*.toml --runs runs/trials/bb72_continued

A trial is a recipe and the folder of its run, RUNS/NAME, in which training is complete. Its model decodes what the
baseline's decodes, at every noise rate. Rows are written when a trial is done; those of trials that are not named stay
in the table, and trials that stand in it, with these weights and these shots, are not decoded again.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError, computed_field

import cascade_qec as cascade
from cascade_qec.cli.progress import progress
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import read_rows, write_rows
from cascade_qec.training import Recipe, load_recipe
from workshop import RESULTS
from workshop.cards.making import training_facts

RATES = (0.002, 0.003, 0.005)


@dataclass(frozen=True)
class Trained:
    """A complete run.

    Attributes
    ----------
    recipe
        What was trained.
    model
        Its weights, as users get them.
    shots, seconds
        Of training.
    """

    recipe: Recipe
    model: Path
    shots: int
    seconds: float

    @property
    def digest(self) -> str:
        """First letters of the SHA-256 of the weights' file, enough to tell runs apart."""
        return hashlib.sha256(self.model.read_bytes()).hexdigest()[:16]


class Row(BaseModel):
    """A trial at one noise rate, all bases pooled.

    Attributes
    ----------
    training_shots, training_seconds
        Of the whole run; seconds include its validations.
    parameters
        Of the network.
    baseline, baseline_weights
        The trial that this one is compared with.
    alone, baseline_alone
        Shots on which only this trial, or only the baseline fails.
    weights
        First letters of the SHA-256 of the model's file.
    """

    trial: str
    code: str
    rounds: int
    bases: str
    p: float
    training_shots: int
    training_seconds: float
    parameters: int
    shots: int
    failures: int
    baseline: str
    alone: int
    baseline_alone: int
    seed: int
    weights: str
    baseline_weights: str

    @computed_field
    @property
    def shots_per_second(self) -> float:
        return round(self.training_shots / self.training_seconds, 1)

    @computed_field
    @property
    def block_error(self) -> Interval:
        return wilson(self.failures, self.shots)

    @computed_field
    @property
    def difference(self) -> Interval | None:
        """Block error less that of the baseline; the baseline has none from itself."""
        if self.trial == self.baseline:
            return None
        return paired_difference(self.alone, self.baseline_alone, self.shots)


def trained(recipe_file: Path, runs: Path) -> Trained:
    """The run of a recipe.

    Raises
    ------
    CascadeError
        If a file is missing or damaged, or the folder has the run of another recipe or one that is not complete.
    """
    recipe = load_recipe(recipe_file)
    folder = runs / recipe.name
    facts = training_facts(folder)
    try:
        differences = recipe.differences(Recipe.model_validate(facts["recipe"]))
    except ValidationError as error:
        raise CascadeError(f"{folder}: the run's recipe cannot be read: {error}") from error
    if differences:
        raise CascadeError(f"{folder}: expected a run of {recipe_file}, got one with {', '.join(differences)}")
    wanted = recipe.optimizer.steps * recipe.shots_per_step
    if facts["shots"] < wanted:
        raise CascadeError(f"{folder}: expected a run of {wanted} shots, it has seen {facts['shots']}: resume it")
    model = folder / f"{recipe.name}.safetensors"
    if not model.is_file():
        raise CascadeError(f"{folder}: expected the model {model.name}, found none")
    return Trained(recipe, model, facts["shots"], seconds=3600 * facts["hours"])


def measure(
    runs: Sequence[Trained],
    baseline: Trained,
    known: Sequence[Row],
    *,
    rates: Sequence[float],
    shots: int,
    seed: int,
    store: Callable[[list[Row]], None],
) -> list[Row]:
    """Decode the same shots with every trial.

    Parameters
    ----------
    runs, baseline
        What is compared with what; the baseline has rows, too, if it is among the runs.
    known
        Rows of the table so far.
    rates
        Noise rates.
    shots
        Of each basis and rate.
    seed
        Of the shots; every rate and basis has a stream of its own.
    store
        Called with all rows of the table when a trial is done.

    Returns
    -------
    list of Row
        Of the whole table, the known ones included.

    Raises
    ------
    CascadeError
        If a trial is of another experiment than the baseline.
    """
    for run in runs:
        if _experiment(run) != _experiment(baseline):
            raise CascadeError(
                f"expected trials of one experiment, {baseline.recipe.name} is of {_experiment(baseline)}, "
                f"{run.recipe.name} of {_experiment(run)}"
            )
    table, failed_of_baseline = list(known), None
    for run in runs:
        old = [row for row in table if row.trial == run.recipe.name]
        given = {(row.p, row.shots, row.seed, row.weights, row.baseline, row.baseline_weights) for row in old}
        pooled = shots * len(run.recipe.bases)
        reference = (baseline.recipe.name, baseline.digest)
        if given == {(p, pooled, seed, run.digest, *reference) for p in rates}:
            continue
        if failed_of_baseline is None:
            failed_of_baseline = failed_shots(baseline, rates, shots, seed)
        failed = failed_of_baseline if run is baseline else failed_shots(run, rates, shots, seed)
        rows = [_row(run, p, failed[p], baseline, failed_of_baseline[p], seed) for p in rates]
        table = [row for row in table if row.trial != run.recipe.name] + rows
        store(table)
    return table


def _experiment(run: Trained) -> tuple[str, int, str]:
    return run.recipe.code, run.recipe.rounds, "".join(run.recipe.bases)


def _load(run: Trained) -> CascadeDecoder:
    return cascade.load(str(run.model))


def failed_shots(run: Trained, rates: Sequence[float], shots: int, seed: int) -> dict[float, NDArray[np.bool_]]:
    """Which shots a trial's model fails on, by noise rate: bool [bases * shots]."""
    decoder, failed = _load(run), {}
    with progress(run.recipe.name) as report:
        for index, p in enumerate(rates):
            parts = []
            for number, basis in enumerate(run.recipe.bases):
                circuit = decoder.experiment(p, basis=basis)
                stream = int(np.random.SeedSequence([seed, index, number]).generate_state(1)[0])
                sampler = circuit.compile_detector_sampler(seed=stream)
                dets, observables = sampler.sample(shots, separate_observables=True)
                parts.append(np.any(decoder.bind(basis=basis).decode_batch(dets).observables != observables, axis=1))
                report(index * len(run.recipe.bases) + number + 1, len(rates) * len(run.recipe.bases))
            failed[p] = np.concatenate(parts)
    return failed


def _row(
    run: Trained,
    p: float,
    failed: NDArray[np.bool_],
    baseline: Trained,
    failed_of_baseline: NDArray[np.bool_],
    seed: int,
) -> Row:
    code, rounds, bases = _experiment(run)
    return Row(
        trial=run.recipe.name,
        code=code,
        rounds=rounds,
        bases=bases,
        p=p,
        training_shots=run.shots,
        training_seconds=round(run.seconds, 1),
        parameters=sum(parameter.numel() for parameter in _load(run).network.parameters()),
        shots=len(failed),
        failures=int(failed.sum()),
        baseline=baseline.recipe.name,
        alone=int((failed & ~failed_of_baseline).sum()),
        baseline_alone=int((failed_of_baseline & ~failed).sum()),
        seed=seed,
        weights=run.digest,
        baseline_weights=baseline.digest,
    )


def main() -> None:
    arguments = _arguments()
    runs = [trained(recipe, arguments.runs) for recipe in arguments.recipes]
    baseline = next((run for run in runs if run.recipe.name == arguments.baseline), None)
    if baseline is None:
        names = ", ".join(run.recipe.name for run in runs)
        raise CascadeError(f"expected the recipe of the baseline, {arguments.baseline}, among the trials; got {names}")

    out = arguments.out or RESULTS / f"trials_{baseline.recipe.code}.csv"

    def store(rows: list[Row]) -> None:
        write_rows(out, rows)

    table = measure(
        runs,
        baseline,
        read_rows(out, Row) if out.exists() else [],
        rates=RATES,
        shots=arguments.shots,
        seed=arguments.seed,
        store=store,
    )
    for row in table:
        rate, apart = row.block_error, row.difference
        line = f"{row.trial:<24} {row.code} p = {row.p:g}  {rate.value:.3e} [{rate.low:.3e}, {rate.high:.3e}]"
        if apart is not None:
            line += f"  less {row.baseline}: {apart.value:+.2e} [{apart.low:+.2e}, {apart.high:+.2e}]"
        print(line)
    print(f"Table: {out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", type=Path, nargs="+")
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder of the runs' folders, each called as its recipe"
    )
    parser.add_argument("--baseline", default="operators", help="name of the recipe that the others are compared with")
    parser.add_argument("--shots", type=int, default=50_000, help="of each basis and noise rate")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, help="the table, by default results/trials_CODE.csv")
    arguments = parser.parse_args()
    if arguments.shots < 1 or arguments.seed < 0:
        parser.error(f"expected --shots >= 1 and --seed >= 0, got {arguments.shots} and {arguments.seed}")
    return arguments


if __name__ == "__main__":
    try:
        main()
    except CascadeError as error:
        sys.exit(f"error: {error}")
