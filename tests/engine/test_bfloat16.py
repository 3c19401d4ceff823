"""The native kernels' products in bfloat16, against the network in NumPy with the same numbers rounded."""

from dataclasses import replace

import numpy as np
import pytest

from cascade_qec.decoders.runtime import Runtime, choose
from cascade_qec.engine import LocalHead, NativeProgram, NumPyProgram
from cascade_qec.errors import CascadeError
from cascade_qec.native import native, native_bfloat16, set_threads
from tests.engine.test_programs import CASES, inputs

needs_bfloat16 = pytest.mark.skipif(not native_bfloat16(), reason="kernels and a chip that multiply bfloat16")


def rounded(x):
    """The nearest bfloat16, of two the even one, as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


class Rounded(np.ndarray):
    """A matrix that is multiplied in bfloat16: what is multiplied by it is rounded as it is, sums are not."""

    def __rmatmul__(self, x):
        return rounded(x) @ rounded(self.view(np.ndarray))


def of_rounded_products(weights):
    """Weights whose products with anything are of bfloat16."""
    blocks = tuple(
        replace(
            block,
            down=block.down.view(Rounded),
            up=block.up.view(Rounded),
            convolutions=tuple(replace(step, weight=step.weight.view(Rounded)) for step in block.convolutions),
        )
        for block in weights.trunk.blocks
    )
    names = ("output",) if isinstance(weights.head, LocalHead) else ("to_data", "hidden")
    head = replace(weights.head, **{name: getattr(weights.head, name).view(Rounded) for name in names})
    return replace(weights, trunk=replace(weights.trunk, blocks=blocks), head=head)


@needs_bfloat16
@pytest.mark.parametrize("case", CASES)
def test_products_are_those_of_rounded_numbers(case):
    """Sums in another order round now and then the other way, which stays below what rounding itself does."""
    _, weights, tables, head, packed = inputs(case, "Z")
    found = NativeProgram(native(), weights, tables, head, bfloat16=True).evidence(packed)
    exact = NumPyProgram(weights, tables, head).evidence(packed)
    emulated = NumPyProgram(of_rounded_products(weights), tables, head).evidence(packed)
    lost = np.sqrt(np.mean((emulated - exact) ** 2))
    assert 0 < lost < 0.01 * np.abs(exact).max()
    assert np.sqrt(np.mean((found - emulated) ** 2)) < 0.6 * lost


@needs_bfloat16
def test_shots_are_decoded_alike_in_any_batch_by_any_number_of_threads(monkeypatch):
    _, weights, tables, head, packed = inputs("bicycle", "X")
    program = NativeProgram(native(), weights, tables, head, bfloat16=True)
    many = np.tile(packed, (5, 1))
    expected = program.evidence(many)
    np.testing.assert_array_equal(program.evidence(many), expected)
    set_threads(3)
    np.testing.assert_array_equal(program.evidence(many), expected)
    set_threads(1)
    single = np.concatenate([program.evidence(many[i : i + 1]) for i in range(20)])
    np.testing.assert_array_equal(single, expected[:20])


@pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")
def test_the_choice_of_bfloat16_on_a_cpu(monkeypatch):
    for has, chosen in ((True, "native"), (False, "torch")):
        monkeypatch.setattr("cascade_qec.decoders.runtime.native_bfloat16", lambda has=has: has)
        assert choose(device="cpu", precision="bfloat16") == Runtime(chosen, "cpu", "bfloat16")
    with pytest.raises(CascadeError, match=r"expected a chip that multiplies bfloat16 .* got one that does not"):
        choose("native", "cpu", "bfloat16")
    assert choose("native", "cpu") == Runtime("native", "cpu", "float32")


@needs_bfloat16
@pytest.mark.parametrize("narrower", ["avx2", "portable"])
def test_narrower_instructions_have_no_bfloat16(narrower, monkeypatch):
    monkeypatch.setenv("CASCADE_INSTRUCTIONS", narrower)
    assert not native_bfloat16()
    _, weights, tables, head, _ = inputs("surface", "Z")
    with pytest.raises(ValueError, match="expected a chip that multiplies bfloat16"):
        NativeProgram(native(), weights, tables, head, bfloat16=True)
