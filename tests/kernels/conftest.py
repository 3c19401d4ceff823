"""Kernels in the tests are not tuned: nothing is timed here, and every size would be."""

from collections.abc import Iterator

import pytest

from cascade_qec.kernels.fused.launch import untuned


@pytest.fixture(autouse=True, scope="session")
def _untuned() -> Iterator[None]:
    with untuned():
        yield
