"""Whose failures are counted, and in which experiment."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import stim

from cascade_qec import circuits, codes
from cascade_qec.codes.css import Basis
from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import load
from cascade_qec.decoders.protocol import BoundDecoder, settings
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.tallies import Run
from cascade_qec.zoo import registry


@dataclass(frozen=True)
class Subject:
    """A decoder and the memory experiment whose rare failures are of interest.

    Attributes
    ----------
    run
        What tables call it.
    model
        The noise at all strengths.
    bound
        The decoder, bound to the circuit at ``run.sampled_at`` and the same for all strengths.
    """

    run: Run
    model: FaultModel
    bound: BoundDecoder


def cascade_subject(
    model: str | Path,
    ps: Sequence[float],
    *,
    rounds: int | None = None,
    basis: Basis = "Z",
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
) -> Subject:
    """A trained model in its own experiment, with sets of faults drawn at the largest p.

    Parameters
    ----------
    model
        A name in the zoo, or the path of a ``.safetensors`` file.
    ps
        Noise strengths.
    rounds
        Rounds of syndrome extraction, by default those of training.
    basis, seed, device, precision
        As :func:`cascade_qec.load` and :class:`Run` know them.

    Raises
    ------
    CascadeError
        For an unknown model, or an experiment that it cannot decode.
    """
    _check_strengths(ps)
    decoder = load(model, device=device, precision=precision)
    description = decoder.description
    by_p = {p: decoder.experiment(p, rounds=rounds, basis=basis) for p in ps}
    name = f"cascade:{description.name}"
    digest = hashlib.sha256(registry.path(model).read_bytes()).hexdigest()
    return _subject(
        by_p,
        decoder.bind(by_p[max(ps)]),
        decoder=name,
        parameters=f"weights=sha256:{digest[:16]}, dtype={str(decoder.dtype).removeprefix('torch.')}",
        code=description.code,
        rounds=decoder.lattice.rounds if rounds is None else rounds,
        basis=basis,
        noise=description.noise_model,
        seed=seed,
    )


def classical_subject(
    decoder: str,
    code: str,
    ps: Sequence[float],
    *,
    rounds: int | None = None,
    basis: Basis = "Z",
    noise: str = "uniform",
    seed: int = 0,
) -> Subject:
    """A classical decoder, given the error model of the largest p, at which the sets of faults are drawn too.

    Such decoders weigh errors by their probabilities. The strengths have one decoder in common, that for the
    largest of them; for a decoder that is told the true p each time, take one subject for each p.

    Parameters
    ----------
    decoder
        One of :func:`cascade_qec.decoders.classical.names`.
    code
        Name of the code.
    ps
        Noise strengths.
    rounds
        Rounds of syndrome extraction, by default the code's distance.
    basis, noise, seed
        As :func:`cascade_qec.circuits.memory`, :func:`cascade_qec.circuits.noise_model` and :class:`Run` know
        them.

    Raises
    ------
    CascadeError
        For an unknown or uninstalled decoder, an unknown code or noise model, or a code of unknown distance
        without `rounds`.
    """
    _check_strengths(ps)
    family = codes.get(code)
    rounds = family.d if rounds is None else rounds
    if rounds is None:
        raise CascadeError(f"expected a number of rounds, as the distance of {code} is not known")
    named = classical.get(decoder)
    by_p = {p: circuits.memory(family, rounds=rounds, basis=basis, noise=circuits.noise_model(noise, p)) for p in ps}
    return _subject(
        by_p,
        named.bind(by_p[max(ps)]),
        decoder=decoder,
        parameters=settings(named),
        code=code,
        rounds=rounds,
        basis=basis,
        noise=noise,
        seed=seed,
    )


def _subject(
    by_p: dict[float, stim.Circuit],
    bound: BoundDecoder,
    *,
    decoder: str,
    parameters: str,
    code: str,
    rounds: int,
    basis: Basis,
    noise: str,
    seed: int,
) -> Subject:
    sampled_at = max(by_p)
    # flattened, as mechanisms that cross a loop's seam are listed in parts otherwise
    models = {p: circuit.detector_error_model(flatten_loops=True) for p, circuit in by_p.items()}
    run = Run(
        decoder=decoder,
        parameters=parameters,
        code=code,
        rounds=rounds,
        basis=basis,
        noise=noise,
        sampled_at=sampled_at,
        seed=seed,
    )
    return Subject(run, FaultModel(models, sampled_at=sampled_at), bound)


def _check_strengths(ps: Sequence[float]) -> None:
    if not ps or not all(0 < p < 1 for p in ps):
        raise CascadeError(f"expected noise strengths between 0 and 1, got {', '.join(map(str, ps)) or 'none'}")
