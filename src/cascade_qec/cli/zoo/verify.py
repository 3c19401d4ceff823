"""``cascade zoo verify``: a card's figures recomputed from scratch."""

from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Device, Precision, known_model
from cascade_qec.cli.progress import percent
from cascade_qec.errors import CascadeError


def verify(
    model: Annotated[
        str, typer.Argument(help="Name of a model, or path of a .safetensors file with its card.", callback=known_model)
    ],
    minutes: Annotated[
        float, typer.Option(min=0, max=limits.SECONDS, help="Time for decoding, shared out among the card's rows.")
    ] = 5.0,
    seed: Annotated[
        int | None, typer.Option(min=0, max=limits.SEED, help="Seed of the shots.  [default: a random one]")
    ] = None,
    p: Annotated[list[float] | None, typer.Option(help="Noise rate; repeat for several.  [default: all]")] = None,
    rivals: Annotated[bool, typer.Option("--rivals", help="Check the rivals' rows as well.")] = False,
    false_alarm: Annotated[
        float, typer.Option("--false_alarm", help="Probability that any true row is refused.")
    ] = 1e-3,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Check a model's card: against its weights, and its figures on fresh shots; and try the model's guards on these.

    The shots are others than those of the card, whatever the seed. Exit status 0 where card and guards hold, 1 where
    something does not; rows whose failures could be twice the card's without being seen count for neither.
    """
    import numpy as np

    from cascade_qec import zoo
    from cascade_qec.cli.card_view import guards_text
    from cascade_qec.cli.table import console
    from cascade_qec.cli.zoo.verification_table import show_checks, show_facts_of_card
    from cascade_qec.decoders.loading import load
    from cascade_qec.evaluation.model_guards import see_guards, with_floor
    from cascade_qec.evaluation.verification import POWER, card_facts, rows_to_check, verify_rows
    from cascade_qec.zoo.card import RivalMeasurement

    if not (minutes > 0 and 0 < false_alarm < 1):
        raise CascadeError(
            f"expected --minutes above 0 and --false_alarm between 0 and 1, got {minutes:g} and {false_alarm:g}"
        )
    card = zoo.card(model)
    decoder = load(model, device=device, precision=precision)
    rows = rows_to_check(card, ps=p or [], rivals=rivals)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    show = console().print

    facts = card_facts(decoder, card)
    show_facts_of_card(facts)
    wrong = [fact.subject for fact in facts if not fact.holds]
    if wrong:
        show(f"The card of {card.name} does not hold: {', '.join(wrong)}. Its figures were not recomputed.")
        raise typer.Exit(1)

    with percent("verifying") as report:
        checks = verify_rows(
            decoder,
            rows,
            seconds=60 * minutes,
            seed=seed,
            false_alarm=false_alarm,
            report=report,
        )
    notes = [
        f"Seed {seed}. P: Fisher's exact test, two-sided; true cards fail with probability {false_alarm:g} at most.",
        f"Seen: so many times the card's failures would be refused with probability {POWER:g}.",
    ]
    show_checks(checks, notes)
    verdicts = [check.verdict for check in checks]
    refused, checked = verdicts.count("does not hold"), len(checks) - verdicts.count("not checked")
    if refused:
        show(f"The card of {card.name} does not hold: {refused} of {len(checks)} rows.")
        raise typer.Exit(1)
    if not checked:
        raise CascadeError(
            f"{card.name}: expected to check a row, "
            f"got too few shots in {minutes:g} minutes or too few failures in the card"
        )
    own = [check.fresh for check in checks if not isinstance(check.card, RivalMeasurement)]
    guards = with_floor(see_guards(decoder, seed=seed), decoder, own)
    show(f"Guards of {card.name}: {guards_text(guards)}")
    if guards.broken:
        raise typer.Exit(1)
    show(f"The card of {card.name} holds: {checked} of {len(checks)} rows checked.")
