"""Memory experiments: rounds of syndrome extraction between a transversal reset and a transversal readout."""

from __future__ import annotations

from numbers import Integral

import stim

from cascade_qec import limits
from cascade_qec.circuits.cz_memory import CZMemoryBuilder
from cascade_qec.circuits.memory_builder import MemoryBuilder
from cascade_qec.circuits.noise import NoiseModel
from cascade_qec.codes import BASES, Basis, CSSCode
from cascade_qec.errors import CascadeError


def memory(
    code: CSSCode,
    *,
    rounds: int,
    basis: Basis = "Z",
    noise: NoiseModel | None = None,
) -> stim.Circuit:
    """Circuit of a memory experiment with the detectors of both kinds of check.

    Every check is measured `rounds` times and then the data qubits are read out. Qubits are numbered data
    first, then X ancillas, then Z ancillas, each in code order. X ancillas are reset and measured in the X
    basis and control their CNOTs.

    Parameters
    ----------
    code
        The code to protect the logical qubits with.
    rounds
        Rounds of syndrome extraction, from 1 to `limits.LOOP_ROUNDS`. The circuit's text does not grow with them.
    basis
        Basis of the initial reset and the final readout of the data qubits. Observable i is row i of
        `code.logicals(basis)`.
    noise
        Noise model; None for a perfect circuit.

    Returns
    -------
    stim.Circuit
        Its detectors have coordinates (x, y, t, plane), with plane 0 for X checks and 1 for Z checks, or the colours
        of a colour code (`CSSCode.planes`). Surface code: x = 2 column, y = 2 row of the check. Bicycle codes: x, y =
        the check's place on the torus; others have coordinates of their own (`CSSCode.detector_coords`). At t = 0 and
        t = rounds (computed from the data readout) there are only the checks of `basis`, in between both kinds; they
        are ordered by t, then X before Z, then as in the code.

        The bulk is a REPEAT block: ask for `detector_error_model(flatten_loops=True)`, as Stim otherwise
        lists mechanisms that reach across the block's seams in several parts.

    Raises
    ------
    CascadeError
        If an argument has the wrong type or value, or there is no schedule for the code.

    Examples
    --------
    >>> from cascade_qec.circuits import UniformDepolarizing
    >>> from cascade_qec.codes import RotatedSurfaceCode
    >>> circuit = memory(RotatedSurfaceCode(3), rounds=3, basis="Z", noise=UniformDepolarizing(0.003))
    >>> circuit.num_detectors, circuit.num_observables
    (24, 1)
    >>> detection_events, flips = circuit.compile_detector_sampler().sample(100, separate_observables=True)
    >>> detection_events.shape, flips.shape
    ((100, 24), (100, 1))
    """
    if not isinstance(code, CSSCode):
        raise CascadeError(f"code must be a CSSCode, got {type(code).__name__}")
    if not isinstance(rounds, Integral) or isinstance(rounds, bool) or rounds < 1:
        raise CascadeError(f"rounds must be an integer of at least 1, got {rounds!r}")
    if rounds > limits.LOOP_ROUNDS:
        raise CascadeError(f"expected at most {limits.LOOP_ROUNDS:,} rounds, got {int(rounds):,}")
    if basis not in BASES:
        raise CascadeError(f"basis must be 'X' or 'Z', got {basis!r}")
    if not len(code.checks(basis)):
        raise CascadeError(
            f"expected a basis in which {code.name} has checks, got {basis!r}, in which it protects nothing"
        )
    if noise is None:
        noise = NoiseModel()
    if not isinstance(noise, NoiseModel):
        raise CascadeError(f"noise must be a NoiseModel or None, got {type(noise).__name__}")
    builder = MemoryBuilder if noise.native == "CX" else CZMemoryBuilder
    return builder(code, basis, noise).build(int(rounds))
