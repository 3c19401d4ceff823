"""How many threads the kernels in C++ take, and for which chips."""

import os
from types import SimpleNamespace

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.native import native, threads


@pytest.mark.parametrize(("said", "taken"), [("3", 3), ("0", None), ("-2", None), ("some", None), ("", None)])
def test_threads(said: str, taken: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads() == taken or (taken is None and 1 <= threads() <= (os.cpu_count() or 1))


@pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")
def test_instructions_that_nobody_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_INSTRUCTIONS", "mmx")
    with pytest.raises(CascadeError, match=r"expected one of .*portable, got mmx"):
        native.__wrapped__()


def test_a_package_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cascade_qec.native.import_module", lambda _: SimpleNamespace(lanes=lambda: 16))
    with pytest.raises(CascadeError, match=r"expected .* of interface 2, got one of interface 0: build it anew"):
        native.__wrapped__()
