"""How many threads the kernels in C++ take."""

import os

import pytest

from cascade_qec.native import threads


@pytest.mark.parametrize(("said", "taken"), [("3", 3), ("0", None), ("-2", None), ("some", None), ("", None)])
def test_threads(said: str, taken: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads() == taken or (taken is None and 1 <= threads() <= (os.cpu_count() or 1))
