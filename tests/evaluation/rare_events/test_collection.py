import numpy as np
import pytest

from cascade_qec import circuits, codes
from cascade_qec.decoders import classical
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.collection import Collector
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.results import rare_rates, spectrum
from cascade_qec.evaluation.rare_events.tallies import Tallies

PS = (0.002, 0.01, 0.03)


def _model(small) -> FaultModel:
    return FaultModel({p: small(p) for p in PS})


def _collector(model, decoder, steps, tallies, **options) -> Collector:
    return Collector(model, decoder, tallies, clock=steps(), seconds_per_pass=0.3, **options)


def _state(tallies: Tallies) -> list[tuple]:
    return [(stage, w, t.shots, t.failures, *t.weights, *t.squares) for stage, w, t in tallies]


@pytest.mark.slow
def test_whole_collections_are_unbiased_and_cover(small, known, truth, steps, empty):
    """Seeds 0 to 49, at each of three p.

    Beyond 4.5 standard errors: 1.3e-4 for three p. With exactly 95 % more than 10 misses of 50 have probability
    3e-5; intervals at the three p come from the same shots, so each is counted by itself.
    """
    model = _model(small)
    values, misses = [], np.zeros(3, int)
    for seed in range(50):
        collector = _collector(model, known(), steps, empty(PS, seed), enumerate_up_to=seed % 3)
        collector.collect(2.0)
        rates = rare_rates(model, collector.tallies)
        values.append([rate.block_error.value for rate in rates])
        misses += [not r.block_error.low <= truth(p) <= r.block_error.high for r, p in zip(rates, PS, strict=True)]
        assert all(rate.unknown < 2e-3 * rate.block_error.value for rate in rates)
    assert misses.max() <= 10
    error = np.mean(values, axis=0) - [truth(p) for p in PS]
    # What lies beyond the last stratum is missing from the estimate: below one part in a thousand.
    allowed = 4.5 * np.std(values, axis=0, ddof=1) / np.sqrt(50) + 1e-3 * np.array([truth(p) for p in PS])
    assert (np.abs(error) < allowed).all()


def test_strata_decoded_in_full_are_exact_at_every_strength(small, known, truth, steps, empty):
    model = _model(small)
    decoder = known()
    collector = _collector(model, decoder, steps, empty(PS), enumerate_up_to=12)
    collector.collect(10.0)
    for rate, p in zip(rare_rates(model, collector.tallies), PS, strict=True):
        assert rate.exact_part == pytest.approx(truth(p), rel=1e-9)
        assert rate.block_error.low == pytest.approx(truth(p), rel=1e-9)
        assert rate.block_error.high == pytest.approx(truth(p), rel=1e-9)


def test_two_runs_in_turn_are_one_and_never_draw_the_same(small, known, steps, empty):
    model = _model(small)
    first = _collector(model, known(), steps, empty(PS))
    first.collect(2.0)
    before = {(stage, w): tally.shots for stage, w, tally in first.tallies}
    failures = {(stage, w): tally.failures for stage, w, tally in first.tallies}
    _collector(model, known(), steps, tallies=first.tallies).collect(2.0)
    again = _collector(model, known(), steps, empty(PS))
    again.collect(2.0)
    gained = []
    for stage, w, tally in first.tallies:
        if stage == "main":
            assert tally.shots > before["main", w]
            gained.append(tally.failures - 2 * failures["main", w])
        else:
            assert tally.shots == before[stage, w]  # neither pilot nor exact strata are repeated
    assert any(gained)  # the same seed, but not the same sets of faults
    assert {key: again.tallies.of(*key).failures for key in failures} == failures


def test_a_killed_run_continues_from_what_was_saved(small, known, steps, empty, tmp_path):
    """Killed in the middle of decoding all sets, it decodes the remaining ones only."""
    model = _model(small)
    killed = _collector(model, known(), steps, empty(PS), enumerate_up_to=2)
    killed.collect(0.05)  # time for no more than one stratum or two
    done = sum(tally.shots for _, _, tally in killed.tallies)
    assert 0 < done < 1 + 12 + 66
    assert not killed.tallies.faults("main")
    decoder = known()
    rest = _collector(model, decoder, steps, tallies=killed.tallies, enumerate_up_to=2)
    rest.collect(2.0)
    assert [rest.tallies.of("all", w).shots for w in range(3)] == [1, 12, 66]
    sampled = sum(tally.shots for stage, _, tally in rest.tallies if stage != "all")
    assert decoder.shots == sampled + 1 + 12 + 66 - done


def test_whatever_is_saved_is_a_whole_pass(small, known, steps, empty):
    model = _model(small)
    saved: list[list[tuple]] = []
    collector = _collector(model, known(), steps, empty(PS))
    collector.save = lambda: saved.append(_state(collector.tallies))
    collector.collect(2.0)
    assert saved[-1] == _state(collector.tallies)
    main = [{w: shots for stage, w, shots, *_ in state if stage == "main"} for state in saved]
    first = next(shots for shots in main if shots)
    passes = [shots for shots in main if shots]
    assert passes == [{w: n * (i + 1) for w, n in first.items()} for i in range(len(passes))]


def test_progress_reaches_the_end_and_never_repeats(small, known, steps, empty):
    seen: list[tuple[int, int]] = []
    collector = _collector(_model(small), known(), steps, empty(PS))
    collector.report = lambda done, total: seen.append((done, total))
    collector.collect(3.0)
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_wrong_input_is_refused(small, known, steps, empty):
    class Wrong:
        def decode_batch(self, dets, *, bit_packed=False):
            return DecodeResult(np.zeros((len(dets), 2), bool))

    with pytest.raises(CascadeError, match=r"shape \[1, 1\], got \[1, 2\]"):
        _collector(_model(small), Wrong(), steps, empty(PS)).collect(1.0)
    with pytest.raises(CascadeError, match="seconds > 0"):
        _collector(_model(small), known(), steps, empty(PS)).collect(0)


@pytest.mark.slow
def test_agrees_with_direct_sampling_of_a_surface_code(steps, empty):
    """Matching on surface_d3, 200000 direct shots at each p, seed 8.

    The difference of two independent estimates is beyond 4.5 standard errors with probability 7e-6.
    """
    ps = (0.001, 0.004)
    by_p = {
        p: circuits.memory(codes.get("surface_d3"), rounds=3, basis="Z", noise=circuits.UniformDepolarizing(p))
        for p in ps
    }
    decoder = classical.get("pymatching").bind(by_p[0.004])
    model = FaultModel({p: circuit.detector_error_model(flatten_loops=True) for p, circuit in by_p.items()})
    collector = Collector(model, decoder, empty(ps, 8), enumerate_up_to=1, clock=steps(), seconds_per_pass=1.0)
    collector.collect(2.0)
    for rate, circuit in zip(rare_rates(model, collector.tallies), by_p.values(), strict=True):
        dets, observables = circuit.compile_detector_sampler(seed=8).sample(200_000, separate_observables=True)
        failed = np.any(decoder.decode_batch(dets).observables != observables, axis=1).mean()
        assert rate.effective_failures > 100
        variance = failed / 200_000 + rate.block_error.value**2 / rate.effective_failures
        assert abs(rate.block_error.value - failed) < 4.5 * np.sqrt(variance)
    # A code of distance 3 with a decoder of matching: no single fault fails, some pairs do.
    by_faults = {stratum.faults: stratum for stratum in spectrum(model, collector.tallies)}
    assert by_faults[1].exact
    assert by_faults[1].fraction.value == 0
    assert by_faults[2].fraction.low > 0
