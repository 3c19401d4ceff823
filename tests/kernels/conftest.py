"""Kernels in the tests are not tuned: nothing is timed here, and every size would be."""

import dataclasses
from collections.abc import Iterator

import pytest
from triton.runtime.interpreter import interpreter_builder

from cascade_qec.kernels.fused.launch import untuned


@pytest.fixture(autouse=True, scope="session")
def _untuned() -> Iterator[None]:
    with untuned():
        yield


@pytest.fixture(autouse=True, scope="session")
def _unchecked_integers() -> None:
    """The interpreter spends a third of its time on overflows of integers, which these sizes are far from."""
    interpreter_builder.options = dataclasses.replace(interpreter_builder.options, sanitize_overflow=False)
