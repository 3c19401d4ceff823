"""The ladder: which rung a card's rows reach, and why not the next."""

import subprocess
import sys

import pytest

from cascade_qec import zoo
from cascade_qec.statistics import per_logical_per_cycle, wilson
from cascade_qec.zoo.card import Card
from cascade_qec.zoo.ladder import LADDERS, standing

SHOTS = 1_000_000
SURFACE_RATES = LADDERS["surface"].rates
CLASSICAL = ("pymatching", "pymatching-correlated", "tesseract-long-beam")


def _row(p: float, failures: int, rounds: int = 3, basis: str = "both", **more: object) -> dict:
    rate = wilson(failures, SHOTS)
    return {
        "p": p,
        "basis": basis,
        "rounds": rounds,
        "shots": SHOTS,
        "failures": failures,
        "block_error": rate.value,
        "low": rate.low,
        "high": rate.high,
        "per_logical_per_cycle": None,
        **more,
    }


def _card(measurements: list[dict], rivals: list[dict], code: str = "surface_d3") -> Card:
    return Card.model_validate(
        {
            "name": "tiny",
            "code": code,
            "bases": ["X", "Z"],
            "rounds": [3],
            "network": {},
            "parameters": 1,
            "recipe": {},
            "seed": 0,
            "shots": 0,
            "hardware": "",
            "hours": 0,
            "commit": "",
            "versions": {},
            "date": "2026-01-31",
            "measurements": measurements,
            "rivals": rivals,
            "zero_syndrome": {"observables_flipped": 0, "min_confidence": 1},
        }
    )


def _surface(model: int, *rivals: int) -> Card:
    """A card with the same failures at every noise rate; rivals from PyMatching on."""
    names = CLASSICAL[: len(rivals)]
    return _card(
        [_row(p, model) for p in SURFACE_RATES],
        [_row(p, f, decoder=name) for p in SURFACE_RATES for name, f in zip(names, rivals, strict=True)],
    )


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ((2000, 1500), "rung 0 of 4; PyMatching is 1.33 times lower at 0.2 %"),
        ((1500, 1500), "rung 0 of 4; PyMatching is as low at 0.2 % (intervals overlap)"),
        ((1500, 2000), "rung 1 of 4; correlated PyMatching is not measured at 0.2, 0.3, 0.5 %"),
        ((1500, 2000, 1450), "rung 1 of 4; correlated PyMatching is 1.03 times lower at 0.2 % (intervals overlap)"),
        # Below correlated matching but not below PyMatching: rungs are climbed in order.
        ((1500, 1400, 2000), "rung 0 of 4; PyMatching is 1.07 times lower at 0.2 % (intervals overlap)"),
        ((1100, 2000, 1500), "rung 2 of 4; long-beam Tesseract is not measured at 0.2, 0.3, 0.5 %"),
        (
            (1101, 2000, 1500, 1000),
            "rung 2 of 4; long-beam Tesseract is 1.1 times lower at 0.2 % (up to 1.1 would do, intervals overlap)",
        ),
        ((1100, 2000, 1500, 1000), "rung 4 of 4"),
        ((1100, 2000, 1500, 0), "rung 2 of 4; long-beam Tesseract had no failure at 0.2 % (up to 1.1 would do)"),
        ((0, 2000, 1500, 0), "rung 4 of 4"),
    ],
)
def test_surface_codes(failures: tuple[int, ...], expected: str) -> None:
    assert str(standing(_surface(*failures))) == expected


def test_a_rival_without_failures_in_few_shots_counts_as_not_measured():
    card = _surface(1100, 2000, 1500, 0)
    few = [
        row.model_copy(update={"shots": 400, "high": 0.0095}) if row.decoder == "tesseract-long-beam" else row
        for row in card.rivals
    ]
    expected = "rung 2 of 4; a failure of long-beam Tesseract is not measured at 0.2, 0.3, 0.5 %"
    assert str(standing(card.model_copy(update={"rivals": few}))) == expected


def test_a_rung_must_hold_at_every_rate_and_the_worst_is_told() -> None:
    model = [_row(p, f) for p, f in zip(SURFACE_RATES, (900, 1100, 1300), strict=True)]
    rivals = [_row(p, 1000, decoder="pymatching") for p in SURFACE_RATES]
    found = standing(_card(model, rivals))
    assert str(found) == "rung 0 of 4; PyMatching is 1.3 times lower at 0.5 %"
    comparisons = found.rungs[0].comparisons
    assert [c.holds for c in comparisons] == [True, False, False]
    assert [c.ratio for c in comparisons] == pytest.approx([0.9, 1.1, 1.3])
    assert [c.apart for c in comparisons] == [False, False, True]
    assert str(found.rungs[0]) == (
        "1, below PyMatching: does not hold; "
        "0.9 times at 0.2 % (intervals overlap), 1.1 times at 0.3 % (intervals overlap), 1.3 times at 0.5 %"
    )
    # Without a failing rate, the missing one decides.
    held = standing(_card(model[:1], rivals))
    assert held.rungs[0].holds is None
    assert str(held) == "rung 0 of 4; the model is not measured at 0.3, 0.5 %"


@pytest.mark.parametrize("change", [{"rounds": 4}, {"basis": "Z"}])
def test_other_experiments_do_not_count(change: dict) -> None:
    model = [_row(p, 900, **change) for p in SURFACE_RATES]
    rivals = [_row(p, 1000, decoder="pymatching") for p in SURFACE_RATES]
    assert str(standing(_card(model, rivals))) == "rung 0 of 4; the model is not measured at 0.2, 0.3, 0.5 %"


def _bicycle(code: str, rounds: int, model: dict[float, int], rivals: dict[str, dict[float, int]]) -> Card:
    return _card(
        [_row(p, f, rounds) for p, f in model.items()],
        [_row(p, f, rounds, decoder=name) for name, by_p in rivals.items() for p, f in by_p.items()],
        code,
    )


def test_bicycle_codes() -> None:
    model = {0.003: 6000, 0.004: 30_000, 0.005: 90_000}
    both = {0.003: 7000, 0.005: 95_000}
    rivals = {"bposd": both, "bposd-filtered": both}
    climbed = ["rung 3 of 5; Relay-BP on the basis' own detectors is not measured at 0.3, 0.5 %"]
    assert str(standing(_bicycle("bb72", 6, model, rivals))) == climbed[0]
    # 90,000 of a million are the reproduction's 0.090; one more is above it.
    above = standing(_bicycle("bb72", 6, model | {0.005: 90_001}, rivals))
    assert above.rung == 2
    assert str(above).startswith("rung 2 of 5; the independent reproduction is 1 times lower at 0.5 % (intervals overl")
    rivals |= {"relay-bp-filtered": both, "relay-bp": {0.003: 6000, 0.005: 90_000}}
    partly = standing(_bicycle("bb72", 6, model, rivals))
    assert str(partly) == "rung 4 of 5; Tesseract is not measured at 0.3, 0.5 %"
    assert str(partly.rungs[-1]) == (
        "5, at or below Relay-BP and within 10 % of Tesseract: not measured; "
        "Relay-BP 1 times at 0.3 % (intervals overlap), 1 times at 0.5 % (intervals overlap)"
    )
    rivals |= {"tesseract": {0.003: 5500, 0.005: 82_000}}
    assert standing(_bicycle("bb72", 6, model, rivals)).rung == 5


def test_a_rung_below_that_is_not_measured_is_told() -> None:
    model = {0.003: 6000, 0.005: 100_000}
    rivals = {"bposd-filtered": {0.003: 7000, 0.005: 101_000}, "bposd": {0.005: 200_000}}
    found = standing(_bicycle("bb72", 6, model, rivals))
    assert (found.rung, found.unmeasured) == (2, (1,))
    assert str(found).startswith("rung 2 of 5 (1 not measured); the independent reproduction is 1.11 times lower")
    # One that fails where it is measured does not become better by what is missing.
    rivals["bposd"] = {0.005: 99_000}
    assert standing(_bicycle("bb72", 6, model, rivals)).rung == 0


def test_bicycle_rates_between_count_where_both_are_measured() -> None:
    model = {0.003: 6000, 0.004: 30_000, 0.005: 90_000}
    rival = {0.003: 7000, 0.004: 29_000, 0.005: 95_000}
    found = standing(_bicycle("bb72", 6, model, {"bposd": rival}))
    assert str(found).startswith("rung 0 of 5; BP+OSD is 1.03 times lower at 0.4 %")
    assert [c.p for c in found.rungs[1].comparisons] == [0.003, 0.005]


def test_published_figures() -> None:
    """Rates per logical per cycle as block errors, for one code; codes nobody published of lack the rung."""
    bb144 = standing(_bicycle("bb144", 12, {0.002: 300, 0.003: 6000, 0.004: 50_000}, {}))
    rung = bb144.rungs[2]
    assert rung.title == "at or below the independent reproduction"
    for comparison, failures, figure in zip(rung.comparisons, (300, 6000, 50_000), (2.6e-6, 4e-5, 3e-4), strict=True):
        own = per_logical_per_cycle(wilson(failures, SHOTS), k=12, rounds=12)
        assert comparison.ratio == pytest.approx(own.value / figure, rel=0.03)  # the conversion is not quite linear
        assert comparison.holds == (own.value <= figure)
    assert [r.number for r in standing(_bicycle("bb90", 10, {}, {})).rungs] == [1, 2, 4, 5]


def test_a_family_without_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(LADDERS, "bb")
    assert standing(_bicycle("bb72", 6, {}, {})) is None


@pytest.mark.parametrize("name", zoo.names())
def test_shipped_models_state_their_rung(name: str) -> None:
    found = standing(zoo.card(name))
    assert found.rung >= 1 or zoo.card(name).local  # which is not measured at all rates
    assert str(found).startswith(f"rung {found.rung} of {found.highest}")


def test_cards_need_no_torch() -> None:
    code = "import sys, cascade_qec.zoo.ladder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
