"""What is recognised of a circuit, for the terminal."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cascade_qec.cli.table import Column, console, percent, show, show_facts, with_interval
from cascade_qec.codes import CSSCode
from cascade_qec.model import ModelDescription, load_model
from cascade_qec.recognition import ObservableMap, Recognition
from cascade_qec.zoo import registry


def print_circuit(found: Recognition, models: Sequence[str | Path]) -> None:
    """Print what the experiment is, and how far models of its code, by name or file, have been trained for it."""
    lattice = found.lattice
    show_facts(
        [
            ("code", _code(lattice.code)),
            ("experiment", f"{_counted(lattice.rounds, 'round')}, {_basis(found)}"),
            ("detectors", _detectors(found)),
            ("observables", _observables(found)),
            ("noise", _noise(found)),
        ]
    )
    if models:
        _show_models([registry.path(model) for model in models], lattice.code.name, found.strength)
    else:
        sentence = registry.no_model_yet(lattice.code.name)
        console().print(f"There is {sentence}.", soft_wrap=True)


def _code(code: CSSCode) -> str:
    return f"{code.name} [[{code.n}, {code.k}, {'?' if code.d is None else code.d}]]"


def _basis(found: Recognition) -> str:
    taken = found.lattice.basis
    if len(found.parts) > 1:
        return "bases X and Z at once"
    if found.basis is None:
        return f"basis {taken}, or the other one: by a symmetry of the code both are one problem"
    return f"basis {found.basis}" + ("" if found.basis == taken else f", by a symmetry of the code taken for {taken}")


def _detectors(found: Recognition) -> str:
    doubles = found.ignored - found.heralds
    parts = [f"{found.lattice.detectors - found.ignored} found"]
    parts += [f"{found.missing} missing, taken for silent at a cost in accuracy"] if found.missing else []
    parts += [f"{doubles} doubles ignored"] if doubles else []
    parts += [f"{_counted(found.heralds, 'herald')} ignored at a cost in accuracy"] if found.heralds else []
    return ", ".join(parts)


def _observables(found: Recognition) -> str:
    parts = [part.observables for part in found.parts]
    observables = ObservableMap(
        np.hstack([part.logicals for part in parts]), np.sum([part.detectors for part in parts], axis=0)
    )
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
        f"as strong as uniform depolarizing noise of p = {percent(found.strength)}, "
        f"{percent(found.agreement)} of it of the kinds that models are trained on"
    )


def _show_models(models: Sequence[Path], code: str, strength: float) -> None:
    """Models beside an experiment of a code."""
    columns: list[Column[tuple[ModelDescription, Path]]] = [
        Column("model", lambda row: row[0].name),
        Column("made for", lambda row: row[0].span_of_rounds, spare=2),
        Column("trained up to", lambda row: f"p = {percent(row[0].noise_p)}", spare=1),
        Column("noise here", lambda row: f"{strength / row[0].noise_p:.2g} times that", spare=1),
        Column("block error on its card, 95 % interval", lambda row: _nearest(row[1], code, strength)),
    ]
    show([(load_model(model)[1], model) for model in models], columns)


def _nearest(model: Path, code: str, strength: float) -> str:
    """The block error of a code that a model's card has for the noise most like this, by ratio."""
    if not model.with_suffix(".json").is_file():
        return "no card"
    rows = registry.card(model).measured_on(code)
    if not rows or not strength:
        return "-"
    row = min(rows, key=lambda row: (abs(math.log(row.p / strength)), row.basis != "both"))
    return f"{with_interval(row.interval)} at p = {percent(row.p)}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
