"""Which code of those known a circuit or error model from anywhere is a memory experiment of."""

from __future__ import annotations

import stim

from cascade_qec import codes
from cascade_qec.codes import CSSCode
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.circuit_skeleton import circuit_skeleton
from cascade_qec.recognition.dem.chains import distinct
from cascade_qec.recognition.placement import described
from cascade_qec.recognition.recognise import Recognition, recognise


def recognise_any(source: stim.Circuit | stim.DetectorErrorModel) -> Recognition:
    """Find the code of a memory experiment, and what `recognise` says of it.

    Only those codes are tried that have as many data qubits as a circuit, or whose experiments can have as many
    detectors as an error model.

    Parameters
    ----------
    source
        A memory experiment, by any tool, of a code that its family names as `cascade_qec.codes.Family.recognised`.

    Raises
    ------
    CascadeError
        If it is no such experiment, with what was found; or with what `recognise` says, if one code alone can be meant.
    """
    if not source.num_observables:
        raise CascadeError("expected a memory experiment, got one without observables")
    candidates, found = _of_circuit(source) if isinstance(source, stim.Circuit) else _of_error_model(source)
    refusals: list[CascadeError] = []
    for code in candidates:
        try:
            return recognise(source, code)
        except CascadeError as error:
            refusals.append(error)
    if len(refusals) == 1:
        raise refusals[0]
    tried = f" (tried {', '.join(code.name for code in candidates)})" if candidates else ""
    expected = " or of ".join(_listed(family.recognised) for family in codes.families())
    raise CascadeError(f"expected a memory experiment of {expected}; got {found}, which fits none of them{tried}")


def _of_circuit(circuit: stim.Circuit) -> tuple[list[CSSCode], str]:
    """Codes with as many data qubits, and what was found."""
    skeleton = circuit_skeleton(circuit)
    qubits = skeleton.supports.shape[1]
    return [code for code in _known() if code.n == qubits], described(skeleton)


def _of_error_model(dem: stim.DetectorErrorModel) -> tuple[list[CSSCode], str]:
    """Codes whose experiments can have as many detectors, the likeliest first, and what was found."""
    _, kept = distinct(Mechanisms.of(dem))
    detectors = int(kept.sum())
    if not detectors:
        raise CascadeError("expected the error model of an experiment, got one without errors that flip detectors")

    def rounds(code: CSSCode) -> list[int]:
        # m checks of each basis: 2 m R detectors with those of both bases, m (R + 1) with the experiment's own.
        slices, rest = divmod(detectors, len(code.hx))
        return [] if rest else [r for r in (slices - 1, slices // 2 if slices % 2 == 0 else 0) if r > 0]

    # Codes without symmetries last: it takes longest to refuse them. Of the others those first that have about d
    # rounds, as most experiments do.
    likeliest = sorted(
        (code for code in _known() if code.k >= dem.num_observables and rounds(code)),
        key=lambda code: (len(code.translations) == 1, min(abs(r - (code.d or r)) for r in rounds(code))),
    )
    return likeliest, f"{detectors} detectors that differ, and {dem.num_observables} observables"


def _known() -> list[CSSCode]:
    return [codes.get(name) for family in codes.families() for name in family.recognised]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) < 10 else f"{names[0]} to {names[-1]}"
