"""Whose failures are counted, and in which experiment."""

from collections.abc import Sequence
from typing import NamedTuple

from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.tallies import Run


class Subject(NamedTuple):
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


def make_subject(
    decoder: Decoder,
    code: str,
    ps: Sequence[float],
    *,
    rounds: int | None,
    basis: Basis,
    noise: str,
    seed: int,
    parameters: str,
) -> Subject:
    """A decoder in a memory experiment, bound to the circuit of the largest p, at which sets of faults are drawn.

    Classical decoders weigh errors by their probabilities. The strengths have one decoder in common, that for the
    largest of them; for a decoder that is told the true p each time, take one subject for each p.

    Parameters
    ----------
    rounds
        Rounds of syndrome extraction; None: the code's distance.
    basis, noise, seed
        As :func:`cascade_qec.circuits.memory`, :func:`cascade_qec.circuits.noise_model` and :class:`Run` know
        them.
    parameters
        What tables say of the decoder.

    Raises
    ------
    CascadeError
        For an unknown code or noise model, a code of unknown distance without `rounds`, or a decoder that cannot
        decode the experiment.
    """
    if not ps or not all(0 < p < 1 for p in ps):
        raise CascadeError(f"expected noise strengths between 0 and 1, got {', '.join(map(str, ps)) or 'none'}")
    css = codes.get(code)
    rounds = css.d if rounds is None else rounds
    if rounds is None:
        raise CascadeError(f"expected a number of rounds, as the distance of {code} is not known")
    by_p = {p: circuits.memory(css, rounds=rounds, basis=basis, noise=circuits.noise_model(noise, p)) for p in ps}
    run = Run(
        decoder=decoder.name,
        parameters=parameters,
        code=code,
        rounds=rounds,
        basis=basis,
        noise=noise,
        sampled_at=max(ps),
        seed=seed,
    )
    models = {p: error_model(circuit) for p, circuit in by_p.items()}
    return Subject(run, FaultModel(models), decoder.bind(by_p[max(ps)]))
