"""The ladder: how a model stands among the decoders of its field, by the rows of its card.

A rung asks for block errors at or below those of a rival, on memory experiments of d rounds with both bases pooled. It
holds where the point estimates say so at every noise rate; whether the intervals agree is told beside it. The third
rung of surface codes, suppression over the distances, is one of several models: see
`cascade_qec.evaluation.fits.cards`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cascade_qec import codes
from cascade_qec.zoo.card import Card, Measurement


@dataclass(frozen=True)
class _Rival:
    """A decoder whose rows of the card a rung compares with."""

    name: str
    """As cards call it."""
    title: str
    factor: float = 1.0
    """The model may have so many times its block error."""
    equal: bool = False
    """Whether as many failures are enough, rather than fewer."""


@dataclass(frozen=True)
class _Published:
    """Figures from elsewhere that a rung asks for."""

    title: str
    per_logical_per_cycle: Mapping[str, Mapping[float, float]] = field(default_factory=dict)
    """By code and noise rate; so are block errors."""
    block_error: Mapping[str, Mapping[float, float]] = field(default_factory=dict)

    def at(self, card: Card, rounds: int) -> dict[float, float]:
        """Block errors for the card's code, by noise rate."""
        k = codes.get(card.code).k
        converted = {
            p: 1 - (0.5 + 0.5 * (1 - 2 * rate) ** rounds) ** k
            for p, rate in self.per_logical_per_cycle.get(card.code, {}).items()
        }
        return {**converted, **self.block_error.get(card.code, {})}


_REPRODUCTION = _Published(
    "the independent reproduction",
    per_logical_per_cycle={"bb144": {0.002: 2.6e-6, 0.003: 4.0e-5, 0.004: 3.0e-4}},
    block_error={"bb72": {0.005: 0.090}},
)


@dataclass(frozen=True)
class _Ladder:
    """What a family's models are measured by."""

    rates: tuple[float, ...]
    """Noise rates at which rivals are compared with."""
    rungs: tuple[tuple[int, tuple[_Rival | _Published, ...]], ...]
    between: bool = False
    """Whether other rates between them count where model and rival have them."""


LADDERS: Mapping[str, _Ladder] = {
    "surface": _Ladder(
        rates=(0.002, 0.003, 0.005),
        rungs=(
            (1, (_Rival("pymatching", "PyMatching"),)),
            (2, (_Rival("pymatching-correlated", "correlated PyMatching"),)),
            (4, (_Rival("tesseract-long-beam", "long-beam Tesseract", factor=1.1, equal=True),)),
        ),
    ),
    "toric": _Ladder(
        rates=(0.003, 0.005),
        rungs=(
            (1, (_Rival("pymatching", "PyMatching"),)),
            (2, (_Rival("pymatching-correlated", "correlated PyMatching"),)),
        ),
    ),
    "colour": _Ladder(
        rates=(0.001, 0.003, 0.005),
        rungs=((1, (_Rival("chromobius", "Chromobius"),)), (2, (_Rival("bposd", "BP+OSD"),))),
    ),
    "gb": _Ladder(
        rates=(0.003, 0.005),
        rungs=(
            (1, (_Rival("bposd-filtered", "BP+OSD on the basis' own detectors"),)),
            (2, (_Rival("relay-bp-filtered", "Relay-BP on the basis' own detectors"),)),
        ),
    ),
    "bb": _Ladder(
        rates=(0.003, 0.005),
        between=True,
        rungs=(
            (1, (_Rival("bposd", "BP+OSD"),)),
            (2, (_Rival("bposd-filtered", "BP+OSD on the basis' own detectors"),)),
            (3, (_REPRODUCTION,)),
            (4, (_Rival("relay-bp-filtered", "Relay-BP on the basis' own detectors"),)),
            (
                5,
                (
                    _Rival("relay-bp", "Relay-BP", equal=True),
                    _Rival("tesseract", "Tesseract", factor=1.1, equal=True),
                ),
            ),
        ),
    ),
}
"""By the family's name; a family without an entry has no ladder."""


@dataclass(frozen=True)
class Comparison:
    """A model beside what a rung asks for, at one noise rate.

    Attributes
    ----------
    rival
        As text calls it.
    p
        Noise rate.
    ratio
        The model's block error in units of the rival's, infinite where only the rival had no failure; None where
        one of them is not measured.
    allowed
        The ratio that the rung allows.
    holds
        Whether it does, by the point estimates; None where not measured.
    apart
        Whether the 95 % intervals say the same without overlap; None where not measured.
    missing
        Who is not measured, empty where both are. A rival without any failure, in so few shots that the model may
        well be as good, counts as not measured.
    """

    rival: str
    p: float
    ratio: float | None
    allowed: float
    holds: bool | None
    apart: bool | None
    missing: str = ""


@dataclass(frozen=True)
class Rung:
    """One rung, from 1 for the lowest, as a model stands to it: by rival and noise rate."""

    number: int
    title: str
    comparisons: tuple[Comparison, ...]

    @property
    def holds(self) -> bool | None:
        """Whether it holds at every noise rate; None where that is not measured."""
        found = [comparison.holds for comparison in self.comparisons]
        return False if False in found else None if None in found else True

    def __str__(self) -> str:
        verdict = {True: "holds", False: "does not hold", None: "not measured"}[self.holds]
        found: dict[str, list[str]] = {}
        for c in self.comparisons:
            if c.ratio is not None:
                overlap = "" if c.apart else " (intervals overlap)"
                told = f"{c.ratio:.3g} times" if math.isfinite(c.ratio) else "no failure"
                found.setdefault(c.rival, []).append(f"{told} at {percent([c.p])}{overlap}")
        named = len({c.rival for c in self.comparisons}) > 1
        parts = [f"{rival} " * named + ", ".join(ratios) for rival, ratios in found.items()]
        return "; ".join([f"{self.number}, {self.title}: {verdict}", *parts])

    def shortfall(self) -> str:
        """Why it does not hold: where the model is farthest from it, or what is not measured."""
        failed = [comparison for comparison in self.comparisons if comparison.holds is False]
        if not failed:
            missing: dict[str, list[float]] = {}
            for comparison in self.comparisons:
                if comparison.missing:
                    missing.setdefault(comparison.missing, []).append(comparison.p)
            return "; ".join(f"{who} is not measured at {percent(ps)}" for who, ps in missing.items())
        worst = max(failed, key=lambda comparison: (comparison.ratio or 0) / comparison.allowed)
        ratio = worst.ratio or 0
        if math.isinf(ratio):
            found = f"{worst.rival} had no failure at {percent([worst.p])}"
        elif ratio > 1:
            found = f"{worst.rival} is {ratio:.3g} times lower at {percent([worst.p])}"
        else:
            found = f"{worst.rival} is as low at {percent([worst.p])}"
        notes = [f"up to {worst.allowed:g} would do"] * (worst.allowed > 1) + ["intervals overlap"] * (not worst.apart)
        return found + (f" ({', '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Standing:
    """Where a model stands on the ladder of its family of codes: the rungs of one model alone, from the lowest."""

    rungs: tuple[Rung, ...]

    @property
    def rung(self) -> int:
        """Number of the highest rung that holds, and none below it fails; 0 for none.

        Those below that are not measured are `unmeasured`: of large codes a rival may take tens of seconds a shot.
        """
        reached = 0
        for rung in self.rungs:
            if rung.holds is False:
                break
            if rung.holds:
                reached = rung.number
        return reached

    @property
    def unmeasured(self) -> tuple[int, ...]:
        """Numbers of the rungs below the one reached that are not measured."""
        return tuple(rung.number for rung in self.rungs if rung.number < self.rung and rung.holds is None)

    @property
    def highest(self) -> int:
        """Number of the ladder's highest rung."""
        return self.rungs[-1].number

    @property
    def reached(self) -> str:
        """As text: "2 of 5 (1 not measured)"."""
        missing = f" ({', '.join(map(str, self.unmeasured))} not measured)" if self.unmeasured else ""
        return f"{self.rung} of {self.highest}{missing}"

    def __str__(self) -> str:
        here = f"rung {self.reached}"
        above = next((rung for rung in self.rungs if rung.number > self.rung), None)
        return here if above is None else f"{here}; {above.shortfall()}"


def standing(card: Card) -> Standing | None:
    """Where a card's model stands; None if there is no ladder for its code.

    Raises
    ------
    CascadeError
        If the card's code is unknown.
    """
    code = codes.get(card.code)
    ladder = LADDERS.get(code.family)
    if ladder is None or code.d is None:
        return None
    rungs = []
    for number, bars in ladder.rungs:
        comparisons = [c for bar in bars for c in _compared(card, bar, ladder, code.d)]
        if comparisons:  # nobody published figures for every code
            rungs.append(Rung(number, " and ".join(_title(bar) for bar in bars), tuple(comparisons)))
    return Standing(tuple(rungs))


def pooled(rows: Iterable[Measurement], p: float, rounds: int) -> Measurement | None:
    """The row of both bases at a noise rate and number of rounds, if there is one."""
    return next((r for r in rows if r.basis == "both" and r.rounds == rounds and _same(r.p, p)), None)


def percent(ps: Sequence[float]) -> str:
    """Noise rates as text: "0.2, 0.3 %"."""
    return f"{', '.join(f'{100 * p:.3g}' for p in ps)} %"


def _compared(card: Card, bar: _Rival | _Published, ladder: _Ladder, rounds: int) -> list[Comparison]:
    if isinstance(bar, _Published):
        figures = bar.at(card, rounds).items()
        return [_comparison(bar.title, p, pooled(card.measurements, p, rounds), (b, b, b)) for p, b in figures]
    rows = [row for row in card.rivals if row.decoder == bar.name]
    found = []
    for p in _rates(ladder, card.measurements, rows, rounds):
        rival = pooled(rows, p, rounds)
        interval = None if rival is None else (rival.low, rival.block_error, rival.high)
        model = pooled(card.measurements, p, rounds)
        found.append(_comparison(bar.title, p, model, interval, allowed=bar.factor, equal=bar.equal))
    return found


def _rates(ladder: _Ladder, model: list[Measurement], rival: Sequence[Measurement], rounds: int) -> list[float]:
    low, high = ladder.rates[0], ladder.rates[-1]
    more = [row.p for row in model if ladder.between and low < row.p < high and pooled(rival, row.p, rounds)]
    return sorted({*ladder.rates, *(p for p in more if not any(_same(p, rate) for rate in ladder.rates))})


def _comparison(
    title: str,
    p: float,
    model: Measurement | None,
    rival: tuple[float, float, float] | None,
    *,
    allowed: float = 1.0,
    equal: bool = True,
) -> Comparison:
    if model is None or rival is None:
        missing = "the model" if model is None else title
        return Comparison(title, p, None, allowed, holds=None, apart=None, missing=missing)
    low, value, high = (allowed * end for end in rival)
    if not value and model.block_error and model.low <= high:
        return Comparison(title, p, None, allowed, holds=None, apart=None, missing=f"a failure of {title}")
    holds = model.block_error <= value if equal else model.block_error < value
    ratio = allowed * model.block_error / value if value else math.inf if model.block_error else 1.0
    return Comparison(title, p, ratio, allowed, holds, apart=model.high < low if holds else model.low > high)


def _title(bar: _Rival | _Published) -> str:
    if isinstance(bar, _Published):
        return f"at or below {bar.title}"
    if bar.factor > 1:
        return f"within {100 * (bar.factor - 1):.0f} % of {bar.title}"
    return f"{'at or below' if bar.equal else 'below'} {bar.title}"


def _same(p: float, other: float) -> bool:
    return math.isclose(p, other, rel_tol=1e-6)
