"""A circuit or error model from anywhere, laid onto the lattice of a code that is given, or of one of those known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import codes
from cascade_qec.codes import BASES, Basis, CSSCode, gf2, opposite
from cascade_qec.error_models import Mechanisms, check_size, error_model, unlikely
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.recognition.circuit_skeleton import circuit_skeleton
from cascade_qec.recognition.dem.comparison import experiment_rounds
from cascade_qec.recognition.dem.skeletons import dem_skeletons, of_checks
from cascade_qec.recognition.likeness import agreement, noise_strength, overlap, same_problem
from cascade_qec.recognition.observables import ObservableMap, best_translated, observable_maps
from cascade_qec.recognition.placement import Placement, described, placements
from cascade_qec.recognition.probe import probed
from cascade_qec.recognition.skeleton import Skeleton

_CLOSE = 0.003
"""Difference of two overlaps that tells nothing: estimated probabilities scatter as much."""

_SURE = 0.98
"""Agreement from which on no other code is looked for. One round of a surface code passes for rounds of a repetition
code with up to 0.97, as rows of checks look like one check at several times."""

_SURE_OF_REPETITION = 0.8
"""Overlap that a repetition code needs besides. Of data errors alone one round of a surface code passes for it with an
agreement of 1 and an overlap of 0.5."""


@dataclass(frozen=True, eq=False)
class Part:
    """A memory experiment of one basis: the site of every detector, and its part in the experiment's observables."""

    lattice: Lattice
    observables: ObservableMap


@dataclass(frozen=True, eq=False)
class Recognition:
    """What an experiment is, in terms of a code.

    Attributes
    ----------
    parts : tuple of Part
        One, or one for each basis where the experiment keeps the logical operators of both. The experiment's
        observables are the sums of the parts'.
    basis : Basis or None
        Basis in which the circuit prepares and reads out, where it can be told and is one. The lattice may have the
        other one: up to a symmetry of the code both are one problem.
    missing, missing_own : int
        Detectors that our own experiment has beyond those found, and how many of these are of the experiment's basis.
    ignored : int
        Detectors that only repeat others, consist of no outcome, or are heralds.
    heralds : int
        Detectors of heralds alone.
    strength : float
        The p of uniform depolarizing noise that causes as many detection events; 0 without noise.
    agreement : float
        Share of the noise, by probability, that our own noise model has, too.
    overlap : float
        How far the probabilities of errors are those of our own noise model, up to a factor: 1 where they are the same,
        0 where they have nothing in common.
    unseen : float
        Probability that errors which flip no detector flip an observable, that of the observable that suffers most.
    ambiguous : bool
        Whether the errors fit other placements of the detectors as well, which are other decoding problems: those of
        the other basis, of the other direction of time or of a mirror image.
    """

    parts: tuple[Part, ...]
    basis: Basis | None
    missing: int
    missing_own: int
    ignored: int
    heralds: int
    strength: float
    agreement: float
    overlap: float
    unseen: float
    ambiguous: bool

    @property
    def lattice(self) -> Lattice:
        """The lattice of the first part."""
        return self.parts[0].lattice

    @property
    def observables(self) -> ObservableMap:
        """The observables of the first part."""
        return self.parts[0].observables


def recognise(
    source: stim.Circuit | stim.DetectorErrorModel, code: CSSCode, bases: Sequence[Basis] = BASES
) -> Recognition:
    """Work out which lattice site each detector is, and what the observables are.

    Parameters
    ----------
    source
        A memory experiment of `code`, by any tool: any order, coordinates or none, any schedule, either basis or both,
        any logical representatives. Of a circuit the noise only chooses between symmetric placements; of an error model
        it is all there is.
    bases
        Bases of the lattice that will do.

    Raises
    ------
    CascadeError
        In one sentence, why it is no such experiment.
    """
    check_size(source)
    if not source.num_observables:
        raise CascadeError(f"expected observables of {code.name}, got none")
    if isinstance(source, stim.Circuit):
        skeletons = [circuit_skeleton(source)]
        own = Mechanisms.of(unlikely(error_model(source))[0])
        # Experiments of both bases are prepared and closed by circuits that must not fail: there, noise is only where
        # their own is.
        probe = own if skeletons[0].both else Mechanisms.of(probed(source))
        if not len(probe.probability):
            raise CascadeError("expected noise in an experiment of both bases; without any, observables stay unknown")
        telling = probe if probe is own else probe.joined(own)
    else:
        source, _ = unlikely(source)
        skeletons = dem_skeletons(source, code)
        telling = probe = own = Mechanisms.of(unlikely(source)[0])
    candidates: list[tuple[Skeleton, tuple[Placement, ...]]] = []
    refusal: CascadeError | None = None
    for skeleton in skeletons:
        try:
            ways = [placements(view, own, probe, code, bases) for view in skeleton.by_basis()]
        except CascadeError as error:
            refusal = refusal or error
            continue
        candidates += [(skeleton, chosen) for chosen in product(*ways)]
    candidates.sort(key=lambda candidate: _likeness(candidate[1]), reverse=True)
    for skeleton, chosen in candidates:
        try:
            maps, moved = _with_observables(chosen, telling, code, skeleton.rounds)
        except CascadeError as error:
            # A symmetry of one basis' checks alone need not be one of the code.
            refusal = refusal or error
            continue
        ambiguous = any(
            _as_good(ways, chosen) and not _same(ways, chosen, own, code, other.rounds) for other, ways in candidates
        )
        return _recognition(skeleton, moved, maps, own, code, ambiguous)
    assert refusal is not None
    raise refusal


def _likeness(ways: Sequence[Placement]) -> tuple[float, ...]:
    return tuple(map(min, zip(*(way.likeness for way in ways), strict=True)))


def _as_good(ways: Sequence[Placement], best: Sequence[Placement]) -> bool:
    *shares, overlap = _likeness(ways)
    *best_shares, best_overlap = _likeness(best)
    return shares == best_shares and overlap > best_overlap - _CLOSE


def _same(
    ways: Sequence[Placement], others: Sequence[Placement], mechanisms: Mechanisms, code: CSSCode, rounds: int
) -> bool:
    return all(
        same_problem(
            mechanisms, *((placed.sites, memory_lattice(code, rounds, placed.basis)) for placed in (way, other))
        )
        for way, other in zip(ways, others, strict=True)
    )


def _with_observables(
    ways: Sequence[Placement], mechanisms: Mechanisms, code: CSSCode, rounds: int
) -> tuple[list[ObservableMap], Sequence[Placement]]:
    """The observables, after translations that make them short."""
    lattices = [memory_lattice(code, rounds, way.basis) for way in ways]
    maps = observable_maps(ways, mechanisms, lattices)
    moved = [best_translated(*found) for found in zip(ways, maps, lattices, strict=True)]
    if all(new is old for new, old in zip(moved, ways, strict=True)):
        return maps, ways
    return observable_maps(moved, mechanisms, lattices), moved


def _recognition(
    skeleton: Skeleton,
    ways: Sequence[Placement],
    maps: Sequence[ObservableMap],
    own: Mechanisms,
    code: CSSCode,
    ambiguous: bool,
) -> Recognition:
    rounds = skeleton.rounds
    lattices = [memory_lattice(code, rounds, way.basis) for way in ways]
    pairs = list(zip(ways, lattices, strict=True))
    return Recognition(
        parts=tuple(
            Part(Lattice(code, rounds=rounds, basis=way.basis, detector_sites=way.sites), observables)
            for way, observables in zip(ways, maps, strict=True)
        ),
        basis=None if skeleton.both else skeleton.basis,
        missing=sum(whole.detectors - int((way.sites >= 0).sum()) for way, whole in pairs),
        missing_own=sum(int((~np.isin(whole.check_sites(way.basis), way.sites)).sum()) for way, whole in pairs),
        ignored=int((skeleton.check < 0).sum()),
        heralds=skeleton.heralds,
        strength=float(np.mean([noise_strength(own, way.sites, whole) for way, whole in pairs])),
        agreement=min(agreement(own, way.sites, whole) for way, whole in pairs),
        overlap=min(overlap(own, way.sites, whole) for way, whole in pairs),
        unseen=_unseen(own, np.any([way.sites >= 0 for way in ways], axis=0)),
        ambiguous=ambiguous,
    )


def _unseen(own: Mechanisms, kept: NDArray[np.bool_]) -> float:
    """Probability that errors seen by none of the detectors kept, bool [detectors], flip an observable."""
    invisible = own.on(kept).weight == 0
    # P(odd) of independent flips: (1 - prod(1 - 2 p)) / 2.
    even = np.where(own.observables[invisible] == 1, 1 - 2 * own.probability[invisible][:, None], 1).prod(axis=0)
    return float((1 - even.min(initial=1)) / 2)


def recognise_any(
    source: stim.Circuit | stim.DetectorErrorModel,
    own: CSSCode | None = None,
    served: Callable[[CSSCode], bool] = lambda code: True,
) -> Recognition:
    """Find the code of a memory experiment, and what `recognise` says of it.

    Only those codes are tried that have as many data qubits as a circuit, or whose experiments can have as many
    detectors as an error model.

    Parameters
    ----------
    source
        A memory experiment, by any tool, of a code that its family names as `cascade_qec.codes.Family.recognised`.
    own
        A code that is tried before them if it has no name among them, such as a described one.
    served
        Of an error model, which may fit several codes, the codes to be tried before all others.

    Raises
    ------
    CascadeError
        If it is no such experiment, with what was found; or with what `recognise` says, if one code alone can be meant.
    """
    check_size(source)
    if not source.num_observables:
        raise CascadeError("expected a memory experiment, got one without observables")
    first = [own] if own is not None and own not in codes.of_size(own.n) else []
    if isinstance(source, stim.Circuit):
        skeleton = circuit_skeleton(source)
        found, qubits = described(skeleton), skeleton.supports.shape[1]
        of_size = [*(code for code in first if code.n == qubits), *codes.of_size(qubits)]
        fits = {code: fit for code in of_size if (fit := _fit(skeleton, code)) is not None}
        # Where none fits, one with some checks of the same weights may tell what is missing.
        candidates = sorted(fits, key=lambda code: fits[code]) or [code for code in of_size if _alike(skeleton, code)]
    else:
        named, found = _of_error_model(source)
        candidates = [*first, *sorted(named, key=lambda code: not served(code))]
    refusals: list[CascadeError] = []
    recognitions: list[Recognition] = []
    for code in candidates:
        # An error model may fit a rectangle lying and standing: the order of gates tells which it is.
        best = max(recognitions, key=_fitness, default=None)
        if best is not None and _is_sure(best) and not _is_turned(best.lattice.code, code):
            continue
        try:
            recognitions.append(recognise(source, code))
        except CascadeError as error:
            refusals.append(error)
            continue
        if isinstance(source, stim.Circuit) or _fitness(recognitions[-1]) > (1, 1 - _CLOSE):
            break
    if recognitions:
        return max(recognitions, key=_fitness)
    if len(refusals) == 1:
        raise refusals[0]
    tried = f" (tried {', '.join(code.name for code in candidates)})" if candidates else ""
    expected = " or of ".join(_listed(family.recognised) for family in codes.families() if family.recognised)
    raise CascadeError(f"expected a memory experiment of {expected}; got {found}, which fits none of them{tried}")


def _fitness(recognition: Recognition) -> tuple[float, float]:
    return round(recognition.agreement, 6), recognition.overlap


def _is_sure(recognition: Recognition) -> bool:
    code = recognition.lattice.code
    both = len(code.hx) > 0 and len(code.hz) > 0
    return recognition.agreement >= _SURE and (both or recognition.overlap >= _SURE_OF_REPETITION)


def _fit(skeleton: Skeleton, code: CSSCode) -> bool | None:
    """Whether a code's checks weigh what those of a circuit do if X and Z are exchanged; None if they never do."""

    def weights(supports: NDArray[np.uint8]) -> list[int]:
        return sorted(supports.sum(axis=1).tolist())

    own, others = weights(skeleton.supports[skeleton.primary]), weights(skeleton.supports[~skeleton.primary])
    for basis in sorted(BASES, key=lambda basis: basis != (skeleton.basis or "Z")):
        if weights(code.checks(basis)) == own and others in ([], weights(code.checks(opposite(basis)))):
            return basis != (skeleton.basis or "Z")
    return None


def _is_turned(code: CSSCode, other: CSSCode) -> bool:
    """Whether they are rectangles of the same sides, one lying and one standing."""
    return code is not other and (
        (code.family, code.n, code.d, len(code.hx)) == (other.family, other.n, other.d, len(other.hz))
    )


def _alike(skeleton: Skeleton, code: CSSCode) -> bool:
    found, known = (set(checks.sum(axis=1).tolist()) for checks in (skeleton.supports, np.vstack([code.hx, code.hz])))
    return not found.isdisjoint(known)


def _of_error_model(dem: stim.DetectorErrorModel) -> tuple[list[CSSCode], str]:
    """Codes whose experiments can have as many detectors, the likeliest first, and what was found."""
    mechanisms, kept, _ = of_checks(dem)
    observables = gf2.rank(np.unique(mechanisms.observables, axis=0))
    detectors = int(kept.sum())
    # Some that are declared may never be flipped, where measurements do not fail, say.
    counts = {detectors, dem.num_detectors}
    if not detectors:
        raise CascadeError("expected the error model of an experiment, got one without errors that flip detectors")

    # Of a code that matching decodes, the checks of one basis alone see two ends of each error at most.
    most = int(mechanisms.weight.max())
    heavy = most > 2

    def fitting(x: int, z: int, *, alone: Sequence[bool]) -> list[int]:
        ways = product(((x, z), (z, x)), alone, counts)
        return [r for checks, lone, count in ways for r in experiment_rounds(*checks, count, alone=lone)]

    def rounds(code: CSSCode) -> list[int]:
        if heavy and code.matchable and not (len(code.hx) and len(code.hz)):
            return []
        return fitting(len(code.hx), len(code.hz), alone=(False,) if heavy and code.matchable else (False, True))

    # Most experiments have all of their code's observables, and about d rounds. Checks of both bases see four ends of
    # an error at most where matching decodes, more of some elsewhere. Codes without symmetries last: it takes
    # longest to refuse them.
    listed = [name for family in codes.families() for name in family.recognised]
    rectangles = [
        name
        for family in codes.families()
        for name, checks in family.rectangles.items()
        if fitting(*checks, alone=(False, True))
    ]
    likeliest = sorted(
        (code for code in map(codes.get, (*listed, *rectangles)) if code.k >= observables and rounds(code)),
        key=lambda code: (
            code.k != observables,
            code.matchable != (most <= 4),
            len(code.translations) == 1,
            code.name in rectangles,
            min(abs(r - (code.d or r)) for r in rounds(code)),
        ),
    )
    return likeliest, f"{detectors} detectors that differ, and {observables} observables"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) < 10 else f"{names[0]} to {names[-1]}"
