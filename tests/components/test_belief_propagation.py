"""Belief propagation in NumPy and in C++, and as others have it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.components import BeliefPropagation
from cascade_qec.decoders.projection import basis_detectors, project
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.native import native

IN_NUMPY = [True] if native() is None else [True, False]
"""The ways there are to decode."""

needs_native = pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")


def experiment(shots: int) -> tuple[Mechanisms, NDArray[np.float32], NDArray[np.bool_]]:
    """Errors, their prior log-odds, and events of bb72 in two rounds, basis Z, as its own checks see them."""
    circuit = circuits.memory(codes.get("bb72"), rounds=2, noise=circuits.UniformDepolarizing(0.003))
    whole = error_model(circuit)
    kept = basis_detectors(whole)
    errors = Mechanisms.of(project(whole, kept))
    prior = (np.log(errors.probability) - np.log1p(-errors.probability)).astype(np.float32)
    return errors, prior, np.take(circuit.compile_detector_sampler(seed=3).sample(shots), kept, axis=1)


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
@pytest.mark.parametrize("scaling", [1.0, 0.625])
def test_it_is_the_min_sum_of_ldpc(in_numpy: bool, scaling: float) -> None:
    from ldpc.bp_decoder import BpDecoder

    errors, prior, events = experiment(10)
    checks = np.zeros((events.shape[1], len(prior)), np.uint8)
    checks[errors.detector, errors.owner] = 1
    expected, stopped = np.full((len(events), len(prior)), np.inf), np.zeros(len(events), np.bool_)
    for iterations in range(1, 6):
        theirs = BpDecoder(
            checks,
            error_channel=list(errors.probability),
            max_iter=iterations,
            bp_method="minimum_sum",
            ms_scaling_factor=scaling,
        )
        for shot, syndrome in enumerate(events.astype(np.uint8)):
            theirs.decode(syndrome)
            expected[shot] = np.minimum(expected[shot], theirs.log_prob_ratios)
            stopped[shot] = theirs.converge  # as ours does
    ours = BeliefPropagation(errors, prior, iterations=5, scaling=scaling, damping=0.0, in_numpy=in_numpy)
    np.testing.assert_allclose(ours.highest(events), -expected, rtol=1e-4, atol=1e-4)
    assert 0 < stopped.sum() < len(events)


@needs_native
@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_both_believe_the_same(damping: float) -> None:
    errors, prior, events = experiment(40)  # more than there are side by side
    events[0] = False
    in_numpy, in_cpp = (
        BeliefPropagation(errors, prior, damping=damping, iterations=8, in_numpy=way) for way in (True, False)
    )
    np.testing.assert_allclose(in_cpp.highest(events), in_numpy.highest(events), rtol=1e-4, atol=1e-4)


@needs_native
def test_every_instruction_set_believes_the_same_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    errors, prior, events = experiment(40)
    module: Any = native()
    found = []
    for instructions in module.instruction_sets():
        monkeypatch.setenv("CASCADE_INSTRUCTIONS", instructions)
        found.append(BeliefPropagation(errors, prior).highest(events))
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_on_a_tree_it_is_exact_about_one_event(in_numpy: bool) -> None:
    """Three detectors in a row: one event in the middle is the component alone there, or a pair at one of its sides."""
    rows, start = np.array([0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 3, 4, 6, 7])
    errors = Mechanisms(np.full(5, 0.1), rows, start, np.zeros((5, 0), np.uint8), 3)
    prior = np.full(5, np.log(0.1 / 0.9), np.float32)
    ours = BeliefPropagation(errors, prior, iterations=3, damping=0.0, in_numpy=in_numpy)
    # of component 2 min-sum tells by how much the best explanation with it beats the best one without: one error, two
    assert ours.highest(np.array([[False, True, False]]))[0, 2] == pytest.approx(-prior[0])


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_shots_are_their_own_and_may_be_none(in_numpy: bool) -> None:
    errors, prior, events = experiment(40)
    ours = BeliefPropagation(errors, prior, iterations=4, in_numpy=in_numpy)
    together = ours.highest(events)
    for shot in (4, 39):  # the last one begins where another is done
        np.testing.assert_array_equal(together[shot : shot + 1], ours.highest(events[shot : shot + 1]))
    assert ours.highest(events[:0]).shape == (0, len(prior))
    nothing = np.zeros(0, np.int64)
    empty = BeliefPropagation(
        Mechanisms(np.zeros(0), nothing, np.zeros(1, np.int64), np.zeros((0, 1), np.uint8), 4),
        np.zeros(0, np.float32),
        in_numpy=in_numpy,
    )
    assert empty.highest(np.zeros((2, 4), np.bool_)).shape == (2, 0)


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_orders_are_those_of_fewer_iterations(in_numpy: bool) -> None:
    errors, prior, events = experiment(40)
    found = BeliefPropagation(errors, prior, iterations=7, orders=3, in_numpy=in_numpy).orders(events)
    for order, iterations in zip(found, (7, 3, 1), strict=True):
        fewer = BeliefPropagation(errors, prior, iterations=iterations, in_numpy=in_numpy)
        np.testing.assert_array_equal(order, fewer.highest(events))
    with pytest.raises(CascadeError, match="expected 1 to 3 orders of 7 iterations, got 4"):
        BeliefPropagation(errors, prior, iterations=7, orders=4, in_numpy=in_numpy)


@pytest.mark.parametrize("wrong", [{"iterations": 0}, {"scaling": 0.0}, {"scaling": 1.1}, {"damping": 1.0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    errors, prior, _ = experiment(1)
    with pytest.raises(CascadeError, match="expected 1 to 100,000 iterations"):
        BeliefPropagation(errors, prior, **wrong)


def made(**changes: Any) -> Any:
    """Two components of three rows."""
    given = {"start": np.array([0, 2, 3]), "row": np.array([0, 1, 2]), "rows": 3, "prior": np.zeros(2, np.float32)}
    numbers = {"iterations": 2, "orders": 1, "scaling": 1.0, "damping": 0.5}
    module: Any = native()
    return module.BeliefPropagation(**given | numbers | changes)


@needs_native
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"start": np.array([0, 3])}, ValueError),
        ({"start": np.array([0, 5, 3])}, ValueError),
        ({"start": np.array([0, 2, 4])}, ValueError),
        ({"row": np.array([0, 1, 3])}, ValueError),
        ({"row": np.array([0, -1, 2])}, ValueError),
        ({"row": np.array([0, 1, 2], dtype=np.int32)}, TypeError),
        ({"rows": -1}, ValueError),
        ({"rows": 1 << 40}, ValueError),
        ({"prior": np.zeros(2)}, TypeError),
        ({"iterations": 0}, ValueError),
        ({"orders": 0}, ValueError),
        ({"orders": 3}, ValueError),
        ({"scaling": float("nan")}, ValueError),
        ({"damping": 1.0}, ValueError),
    ],
)
def test_the_native_module_refuses_what_is_wrong(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        made(**changes)


@needs_native
@pytest.mark.parametrize("lit", [np.zeros((4, 2), bool), np.zeros((4, 3), np.uint8), np.zeros(3, bool)])
def test_the_native_module_refuses_wrong_shots(lit: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        made().decode(lit)
    with pytest.raises(ValueError, match="thread"):
        made().decode(np.zeros((4, 3), bool), threads=0)
