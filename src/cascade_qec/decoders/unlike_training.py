"""In what an experiment differs from those that a model was trained on."""

from __future__ import annotations

from cascade_qec.recognition import Recognition

_STRONG = 1.25
"""Times the noise of training from which on a circuit's noise is remarked upon.

Cards measure models up to 1.2 times, where bb72 fails in 18 % of the shots; at 1.6 times the models of bicycle
codes fail in 58 to 85 %."""

_FAMILIAR = 0.995
"""Share of a circuit's noise that should be of kinds that training had."""

_LIKE = 0.9
"""Overlap of the errors' probabilities with those of training that is remarked upon if it is less.

Stim's and SI1000 noise have 0.98 and more, that of data and measurements alone 0.92, a data qubit fifty times as noisy
as the others 0.8.
"""


def unlike_training(found: Recognition, noise_p: float) -> list[str]:
    """What may make a model less accurate on an experiment than its card says, a clause each.

    Parameters
    ----------
    found
        The experiment as it was recognised.
    noise_p
        Strength of the noise that the model was trained up to.
    """
    differences: list[str] = []
    if found.strength > _STRONG * noise_p:
        differences.append(
            f"its noise is as strong as p = {found.strength:.2g}, and the model was trained up to p = {noise_p:.2g}"
        )
    if found.strength and found.agreement < _FAMILIAR:
        differences.append(
            f"{100 * (1 - found.agreement):.0f} % of its noise is of kinds that training had not (another order of "
            "gates, say)"
        )
    elif found.strength and found.overlap < _LIKE:
        differences.append(
            f"its errors are spread unlike those of training (overlap {found.overlap:.2f}; one qubit much noisier "
            "than others, say)"
        )
    return hidden(found) + differences


def hidden(found: Recognition) -> list[str]:
    """What an experiment does not show or leaves open, whatever its noise, a clause each."""
    differences: list[str] = []
    if found.missing:
        own = f", {found.missing_own} of them of the experiment's basis" if found.missing_own else ""
        differences.append(f"{found.missing} detectors of training are missing and taken for silent{own}")
    if found.heralds:
        differences.append(f"detectors of heralds, {found.heralds} of them, are ignored")
    if found.unseen:
        differences.append(
            f"errors that no detector sees, and so no decoder, flip an observable with probability {found.unseen:.2g}"
        )
    if found.ambiguous:
        differences.append(
            "its errors leave open which basis or direction of time it has (errors that the checks of both bases "
            "see, or the circuit, would tell)"
        )
    return differences
