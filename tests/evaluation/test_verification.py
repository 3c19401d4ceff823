"""A card's rows on fresh shots. Time is without limit here, or none at all, so that no machine's speed matters.

Probabilities of a failing test are those of the counts: a true row is refused with 1e-6, and one with half the
failures (thousands of shots, most of which fail) passes with less than 1e-9.
"""

from pathlib import Path

import pytest

from cascade_qec import zoo
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.loading import load
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.comparison import CASCADE, Experiment, compare
from cascade_qec.evaluation.shared_time import Task, decode_in
from cascade_qec.evaluation.verification import RowCheck, rows_to_check, verify_rows
from cascade_qec.statistics import wilson
from cascade_qec.zoo.card import Card, Measurement


@pytest.fixture
def decoder(measured_model: Path) -> CascadeDecoder:
    return load(measured_model, device="cpu")


@pytest.fixture
def card(measured_model: Path) -> Card:
    return zoo.card(measured_model)


def _changed(row: Measurement, failures: int) -> Measurement:
    rate = wilson(failures, row.shots)
    figures = {"failures": failures, "block_error": rate.value, "low": rate.low, "high": rate.high}
    return row.model_copy(update=figures)


def test_a_true_card_holds(decoder: CascadeDecoder, card: Card) -> None:
    rows = rows_to_check(card, rivals=True)
    reports: list[float] = []
    checks = verify_rows(decoder, rows, seconds=1e9, seed=1, false_alarm=1e-6, report=reports.append)
    assert [check.verdict for check in checks] == ["holds"] * 4
    assert [check.card for check in checks] == rows
    assert [(c.fresh.p, c.fresh.decoder) for c in checks] == [
        (0.008, CASCADE),
        (0.008, "pymatching"),
        (0.01, CASCADE),
        (0.01, "pymatching"),
    ]
    # Twice the card's shots are enough.
    assert [check.fresh.shots for check in checks] == [2 * row.shots for row in rows]
    assert all(check.visible_factor is not None and 1 < check.visible_factor < 2 for check in checks)
    assert reports == sorted(reports)
    assert reports[-1] == 1


@pytest.mark.parametrize("factor", [0.5, 1.2])
def test_other_failures_are_refused(factor: float, decoder: CascadeDecoder, card: Card) -> None:
    changed = _changed(card.measurements[1], round(factor * card.measurements[1].failures))
    checks = verify_rows(decoder, [card.rivals[1], changed], seconds=1e9, seed=2, false_alarm=1e-6)
    assert [check.verdict for check in checks] == ["holds", "does not hold"]
    assert checks[1].p_value < 1e-9


def test_seeds_are_others_than_the_cards(decoder: CascadeDecoder, card: Card) -> None:
    """The fixture's shots have seed 0; the same number makes other shots here, and so does any other."""
    rows = [card.rivals[0]]
    found = [verify_rows(decoder, rows, seconds=1e9, seed=seed)[0].fresh for seed in (0, 0, 1)]
    assert found[0].failures == found[1].failures
    assert len({row.seed for row in found}) == 2
    assert 0 not in {row.seed for row in found}
    assert found[0].failures != found[2].failures


def test_without_time_nothing_is_said_to_hold(decoder: CascadeDecoder, card: Card) -> None:
    checks = verify_rows(decoder, rows_to_check(card), seconds=1e-9, seed=3)
    assert [check.verdict for check in checks] == ["not checked"] * 2
    assert [check.fresh.shots for check in checks] == [16, 16]


def test_rows_of_few_failures_cannot_be_checked(card: Card) -> None:
    row = card.measurements[0]
    fresh = compare(
        Experiment("tiny", 0.008, 3, {"Z": CascadeDecoder.untrained("surface_d3").experiment(0.008)}),
        {"silent": _Silent()},
        shots=10,
        seed=0,
    )[0].model_copy(update={"shots": 10 * row.shots, "failures": 20})
    few = RowCheck(_changed(row, 2), fresh, 1e-3)
    assert few.verdict == "not checked"
    assert few.visible_factor is not None
    assert few.visible_factor > 2
    # But what is far worse is refused all the same, also where the card had no failure at all.
    worse = fresh.model_copy(update={"failures": 20 * 20})
    assert RowCheck(_changed(row, 2), worse, 1e-3).verdict == "does not hold"
    assert RowCheck(_changed(row, 0), worse, 1e-3).verdict == "does not hold"
    assert RowCheck(_changed(row, 0), fresh.model_copy(update={"failures": 0}), 1e-3).verdict == "not checked"


class _Silent:
    """Never predicts a flip."""

    name = "silent"

    def bind(self, experiment):
        return self

    def decode_batch(self, dets, *, bit_packed=False):
        return DecodeResult(dets[:, :1] & False)


def test_time_is_shared_by_weight_and_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that only decoding moves: one second for a thousand shots."""
    now = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: now)

    class Clocked(_Silent):
        def decode_batch(self, dets, *, bit_packed=False):
            nonlocal now
            now += len(dets) / 1000
            return super().decode_batch(dets)

    circuit = CascadeDecoder.untrained("surface_d3").experiment(0.008)
    experiment = Experiment("surface_d3", 0.008, 3, {"Z": circuit})

    def shots(*tasks: tuple[int, float] | tuple[int, float, int]) -> list[int]:
        nonlocal now
        now = 0.0
        found = [Task(experiment, "clocked", Clocked(), *task) for task in tasks]
        rows = decode_in(100.0, found, seed=[0], report=lambda done: None)
        assert now < 115
        return [row.shots for row in rows]

    one, three = shots((10**6, 1.0), (10**6, 3.0))
    assert one == pytest.approx(25_000, rel=0.15)
    assert three == pytest.approx(75_000, rel=0.15)
    done, rest = shots((1000, 1.0), (10**6, 1.0))
    assert done == 1000
    assert rest == pytest.approx(99_000, rel=0.15)
    assert shots((100, 1.0), (200, 1.0)) == [100, 200]
    # What is wanted first is had before all is shared, unless there is no time for it.
    first, poor = shots((10**6, 1.0, 60_000), (10**6, 100.0))
    assert first == pytest.approx(60_000, rel=0.01)
    assert poor == pytest.approx(40_000, rel=0.15)
    never, rest = shots((10**6, 1.0, 200_000), (10**6, 9.0))
    assert never == pytest.approx(10_000, rel=0.15)
    assert rest == pytest.approx(90_000, rel=0.15)


def test_rows_can_be_selected(card: Card) -> None:
    assert [row.p for row in rows_to_check(card)] == [0.008, 0.01]
    assert [row.p for row in rows_to_check(card, ps=[0.01], rivals=True)] == [0.01, 0.01]
    with pytest.raises(CascadeError, match=r"noise rate that its card has \(0.008, 0.01\), got 0.03"):
        rows_to_check(card, ps=[0.01, 0.03])
    with pytest.raises(CascadeError, match="expected a card with measurements"):
        rows_to_check(card.model_copy(update={"measurements": []}))


@pytest.mark.parametrize("bad", [{"seconds": 0.0}, {"seconds": float("nan")}, {"false_alarm": 1.0}])
def test_bad_limits_are_refused(bad: dict, decoder: CascadeDecoder, card: Card) -> None:
    with pytest.raises(CascadeError, match="seconds > 0 and 0 < false_alarm < 1"):
        verify_rows(decoder, rows_to_check(card), **{"seconds": 1.0, "seed": 0, **bad})


def test_an_unknown_rival_is_refused(decoder: CascadeDecoder, card: Card) -> None:
    rows = [card.rivals[0].model_copy(update={"decoder": "oracle"})]
    with pytest.raises(CascadeError, match="unknown classical decoder 'oracle'"):
        verify_rows(decoder, rows, seconds=1.0, seed=0)
