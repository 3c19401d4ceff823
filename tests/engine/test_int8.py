"""The native kernels' convolutions in eight bits, against the network in NumPy with the same numbers rounded."""

from dataclasses import replace

import numpy as np
import pytest

from cascade_qec import load
from cascade_qec.decoders.runtime import Runtime, choose
from cascade_qec.engine import LocalHead, NativeProgram, NumPyProgram
from cascade_qec.engine.reference import _convolved, logical, silu, sums_over_time
from cascade_qec.errors import CascadeError
from cascade_qec.native import native, native_int8, set_threads
from tests.engine.test_bfloat16 import of_rounded_products, rounded
from tests.engine.test_programs import inputs

LEAST = 0.28
"""What SiLU gives, rounded to bfloat16, is above -LEAST."""

ZERO = 64
"""What nothing is in the head's eight bits."""

needs_int8 = pytest.mark.skipif(not native_int8(), reason="kernels and a chip that multiply bytes")


def lines(x):
    """SiLU as convolutions in eight bits take it: max(x, 0), and 32 lines that follow the rest."""
    size = np.minimum(np.abs(x), 7.75)
    ends = np.clip(np.arange(33) / 4 - 1 / 8, 0, 7.75)
    below = -ends / (1 + np.exp(ends))
    below[-1] = 0
    slope = np.diff(below) / np.diff(ends)
    inside = np.linspace(ends[:-1], ends[1:], 101)
    off = -inside / (1 + np.exp(inside)) - slope * inside
    constant = (off.max(axis=0) + off.min(axis=0)) / 2
    constant[-1] = -slope[-1] * 7.75
    at = np.rint(4 * size).astype(int)
    return (np.maximum(x, 0) + slope[at] * size + constant[at]).astype(np.float32)


def test_lines_are_close_to_silu():
    x = np.linspace(-20, 20, 4001, dtype=np.float32)
    assert np.abs(lines(x) - silu(x)).max() < 0.0035


class InEightBits(NumPyProgram):
    """Convolutions of rounded numbers but for the first; other products are those of its weights."""

    def __init__(self, weights, tables, head_tables, peaks) -> None:
        super().__init__(weights, tables, head_tables)
        self._peaks = peaks

    def layers(self, states):
        trunk, peaks, activated = self._weights.trunk, iter(self._peaks), silu
        x = trunk.embedding[self._tables.kind[:, None] + states]
        for number, block in enumerate(trunk.blocks):
            y = activated(activated(block.scale * x + block.shift) @ block.down + block.down_bias)
            steps = zip(block.convolutions, self._tables.steps, self._readers, strict=True)
            for i, (convolution, table, readers) in enumerate(steps):
                step, weight = (next(peaks) + LEAST) / 255, convolution.weight
                if number or i:
                    activated = lines
                    y = np.clip(np.rint((rounded(y) + LEAST) / step), 0, 255) * step - LEAST
                    scaled = step[:, None] * rounded(weight.view(np.ndarray))
                    unit = np.abs(scaled).max(axis=(0, 1, 2)) / 127
                    weight = (np.rint(scaled / unit) * unit / step[:, None]).astype(np.float32)
                y = activated(_convolved(y.astype(np.float32), weight, table, readers) + convolution.bias)
            x = x + y @ block.up
        local = isinstance(self._weights.head, LocalHead)
        yield (silu if local else lines)(trunk.scale * x + trunk.shift)

    def _evidence(self, packed):
        head = self._weights.head
        if isinstance(head, LocalHead):
            return super()._evidence(packed)
        states = self.states(packed)
        *_, features = self.layers(states)
        sums = sums_over_time(features, self._head_tables)
        largest, least = sums.max(axis=(1, 3), keepdims=True), sums.min(axis=(1, 3), keepdims=True)
        step = np.maximum(largest / (255 - ZERO), -least / ZERO)
        weight = rounded(head.to_data.view(np.ndarray))
        unit = np.abs(weight).max(axis=(0, 1, 2)) / 127
        head = replace(head, to_data=(np.rint(weight / unit) * unit).astype(np.float32))
        return logical((np.rint(sums / step) * step).astype(np.float32), states, head, self._head_tables)


@needs_int8
@pytest.mark.parametrize("case", ["surface", "surface, wide", "bicycle", "depthwise", "colours", "segments", "local"])
def test_products_are_those_of_rounded_numbers(case):
    """Sums in another order, and of sixteen bits, round the other way now and then: by less than rounding itself."""
    _, weights, tables, head, packed = inputs(case, "Z")
    peaks = NativeProgram(native(), weights, tables, head, bfloat16=True).peaks(packed)
    found = NativeProgram(native(), weights, tables, head, bfloat16=True, peaks=peaks).evidence(packed)
    exact = NumPyProgram(weights, tables, head).evidence(packed)
    channels = weights.trunk.blocks[0].down.shape[1]
    emulated = InEightBits(of_rounded_products(weights), tables, head, peaks[:, :channels]).evidence(packed)
    if peaks.shape[0] > 1:  # or nothing is convolved in eight bits
        assert (found != NativeProgram(native(), weights, tables, head, bfloat16=True).evidence(packed)).any()
    lost = np.sqrt(np.mean((emulated - exact) ** 2))
    assert 0 < lost < 0.03 * np.abs(exact).max()
    assert np.sqrt(np.mean((found - emulated) ** 2)) < 0.7 * lost


@needs_int8
@pytest.mark.parametrize("case", ["surface", "bicycle"])
def test_peaks_are_the_largest_of_what_is_read(case):
    _, weights, tables, head, packed = inputs(case, "X")
    program = NumPyProgram(weights, tables, head)
    *_, x, _, _ = program.layers(program.states(packed))  # before the last block
    block = weights.trunk.blocks[-1]
    read = silu(silu(block.scale * x + block.shift) @ block.down + block.down_bias)
    found = NativeProgram(native(), weights, tables, head, bfloat16=True).peaks(packed)
    assert found.shape == (len(weights.trunk.blocks) * len(tables.steps), 16)
    largest = read.max(axis=(0, 1)).clip(min=0)
    np.testing.assert_allclose(found[-len(tables.steps), : read.shape[2]], largest, rtol=0.03, atol=0.03)


@needs_int8
@pytest.mark.parametrize("times", [0.1, 1, 30, 1e5])
def test_a_hidden_layer_may_have_numbers_of_any_size(times):
    """Its sums are of sixteen bits where they can be; beside those the head rounds to bfloat16, as everywhere."""
    _, weights, tables, head, packed = inputs("bicycle", "Z")
    peaks = NativeProgram(native(), weights, tables, head, bfloat16=True).peaks(packed)
    hidden = {name: getattr(weights.head, name) * np.float32(times) for name in ("hidden", "hidden_bias")}
    weights = replace(weights, head=replace(weights.head, **hidden))
    exact = NumPyProgram(weights, tables, head).evidence(packed)
    found = NativeProgram(native(), weights, tables, head, bfloat16=True, peaks=peaks).evidence(packed)
    assert np.sqrt(np.mean((found - exact) ** 2)) < 0.03 * np.abs(exact).max()


@needs_int8
@pytest.mark.parametrize("name", ["hidden", "hidden_bias", "output"])
def test_weights_that_are_no_numbers_leave_none(name):
    _, weights, tables, head, packed = inputs("bicycle", "Z")
    peaks = NativeProgram(native(), weights, tables, head, bfloat16=True).peaks(packed)
    broken = getattr(weights.head, name).copy()
    broken.flat[0] = np.nan
    weights = replace(weights, head=replace(weights.head, **{name: broken}))
    program = NativeProgram(native(), weights, tables, head, bfloat16=True, peaks=peaks)
    assert np.isnan(program.evidence(packed)).all()
    assert np.isnan(program.decide(packed).log_odds).all()


@needs_int8
@pytest.mark.parametrize("rate", [0.01, 0.2])
def test_shots_are_decoded_alike_in_any_batch_by_any_number_of_threads(rate):
    _, weights, tables, head, packed = inputs("bicycle", "X")
    peaks = NativeProgram(native(), weights, tables, head, bfloat16=True).peaks(packed)
    program = NativeProgram(native(), weights, tables, head, bfloat16=True, peaks=peaks)
    bits = np.random.default_rng(7).random((90, 8 * packed.shape[1])) < rate
    many = np.packbits(bits, axis=1, bitorder="little")
    expected = program.evidence(many)
    set_threads(3)
    np.testing.assert_array_equal(program.evidence(many), expected)
    set_threads(1)
    single = np.concatenate([program.evidence(many[i : i + 1]) for i in range(20)])
    np.testing.assert_array_equal(single, expected[:20])
    np.testing.assert_array_equal(program.evidence(many[7:30]), expected[7:30])


@needs_int8
@pytest.mark.parametrize("model", ["surface_d3", "local_bb72"])
def test_models_decide_as_they_do_in_bfloat16(model):
    decided = []
    for precision in ("bfloat16", "int8"):
        decoder = load(model, device="cpu", precision=precision)
        assert decoder.runtime == Runtime("native", "cpu", precision)
        events = decoder.experiment(0.003).compile_detector_sampler(seed=11).sample(40, bit_packed=True)
        decided.append(decoder.bind().decode_batch(events, bit_packed=True).observables)
    # 1 shot of 400 changes at five times the noise
    assert (decided[0] != decided[1]).any(axis=1).sum() <= 2


@pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")
def test_the_choice_of_int8(monkeypatch):
    monkeypatch.setattr("cascade_qec.decoders.runtime.native_int8", lambda: True)
    assert choose(device="cpu", precision="int8") == Runtime("native", "cpu", "int8")
    monkeypatch.setattr("cascade_qec.decoders.runtime.native_int8", lambda: False)
    with pytest.raises(CascadeError, match=r"expected a chip that multiplies bfloat16 and bytes .* got one that does"):
        choose(device="cpu", precision="int8")
    with pytest.raises(CascadeError, match="expected a CPU and the runtime native for the precision int8, got torch"):
        choose("torch", "cpu", "int8")
    with pytest.raises(CascadeError, match="expected a CPU and float32 for the runtime numpy, got cpu and int8"):
        choose("numpy", "cpu", "int8")


@needs_int8
def test_peaks_are_of_every_convolution_and_channel():
    _, weights, tables, head, _ = inputs("surface", "Z")
    with pytest.raises(ValueError, match="expected the peaks of each convolution and channel"):
        NativeProgram(native(), weights, tables, head, bfloat16=True, peaks=np.zeros((1, 16), np.float32))
    with pytest.raises(ValueError, match="expected eight bits beside bfloat16"):
        NativeProgram(native(), weights, tables, head, peaks=np.zeros((2, 16), np.float32))
