"""What is recognised of a circuit, for the terminal."""

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cascade_qec.cli.card_view import with_interval
from cascade_qec.codes import CSSCode
from cascade_qec.nn import load_model
from cascade_qec.recognition import ObservableMap, Recognition
from cascade_qec.zoo import registry


def circuit_view(found: Recognition, models: Sequence[str | Path]) -> Group:
    """The experiment, and how far each of some models of its code has been trained for it.

    Parameters
    ----------
    found
    models
        Names in the zoo or paths of model files.
    """
    lattice = found.lattice
    facts = Table.grid(padding=(0, 2))
    for title, value in [
        ("code", _code(lattice.code)),
        ("experiment", f"{_counted(lattice.rounds, 'round')}, basis {_basis(found)}"),
        ("detectors", _detectors(found)),
        ("observables", _observables(found.observables)),
        ("noise", _noise(found)),
    ]:
        facts.add_row(Text(title, style="bold"), Text(value))
    return Group(facts, _models(found, models) if models else Text(f"There is no model of {lattice.code.name} yet."))


def models_of(code: CSSCode) -> list[str]:
    """Names of the shipped models of a code."""
    return [name for name in registry.names() if registry.card(name).code == code.name]


def _code(code: CSSCode) -> str:
    return f"{code.name} [[{code.n}, {code.k}, {'?' if code.d is None else code.d}]]"


def _basis(found: Recognition) -> str:
    taken = found.lattice.basis
    if found.basis is None:
        return f"{taken}, or the other one: by a symmetry of the code both are one problem"
    return taken if found.basis == taken else f"{found.basis}, by a symmetry of the code taken for {taken}"


def _detectors(found: Recognition) -> str:
    parts = [f"{found.lattice.detectors - found.ignored} found"]
    parts += [f"{found.missing} missing, taken for silent at a cost in accuracy"] if found.missing else []
    parts += [f"{found.ignored} doubles ignored"] if found.ignored else []
    return ", ".join(parts)


def _observables(observables: ObservableMap) -> str:
    own = int(observables.own.sum())
    sums = len(observables.own) - own
    if not sums:
        return f"{own}, the code's own"
    needing = int(observables.detectors.any(axis=1).sum())
    kept = f"{own} of the code's own, " if own else ""
    return f"{kept}{_counted(sums, 'sum')} of the code's own, {needing} with detectors"


def _noise(found: Recognition) -> str:
    if not found.strength:
        return "none"
    return (
        f"as strong as uniform depolarizing noise of p = {_percent(found.strength)}, "
        f"{_percent(found.agreement)} of it of the kinds that models are trained on"
    )


def _models(found: Recognition, models: Sequence[str | Path]) -> Table:
    table = Table("model", "trained on", "trained up to", "noise here", "block error on its card, 95 % interval")
    for model in models:
        path = registry.path(model)
        description = load_model(path)[1]
        table.add_row(
            description.name,
            _counted(description.rounds, "round"),
            f"p = {_percent(description.noise_p)}",
            f"{found.strength / description.noise_p:.2g} times that",
            _nearest(path, found.strength),
        )
    return table


def _nearest(model: Path, strength: float) -> str:
    """The block error that a model's card has for the noise most like this, by ratio."""
    if not model.with_suffix(".json").is_file():
        return "no card"
    rows = registry.card(model).measurements
    if not rows or not strength:
        return "-"
    row = min(rows, key=lambda row: (abs(math.log(row.p / strength)), row.basis != "both"))
    return f"{with_interval(row)} at p = {_percent(row.p)}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
