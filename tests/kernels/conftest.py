"""Kernels in the tests are not tuned: nothing is timed here, and every size would be."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from triton.runtime.interpreter import InterpretedFunction, _patch_lang, interpreter_builder

from cascade_qec.kernels.fused.launch import untuned


@pytest.fixture(autouse=True, scope="session")
def _untuned() -> Iterator[None]:
    with untuned():
        yield


@pytest.fixture(autouse=True, scope="session")
def _unchecked_integers() -> None:
    """The interpreter spends a third of its time on overflows of integers, which these sizes are far from."""
    interpreter_builder.options = dataclasses.replace(interpreter_builder.options, sanitize_overflow=False)


@pytest.fixture(autouse=True, scope="session")
def _patched_once() -> Iterator[None]:
    """The interpreter takes the place of Triton's language whenever a kernel calls a function, a fifth of its time.

    A launch does so for the kernel's own module, and takes it back; of other modules once is enough.
    """
    modules: set[str] = set()

    def call(self: InterpretedFunction[Any], *args: Any, **kwargs: Any) -> Any:
        if self.fn.__module__ not in modules:
            modules.add(self.fn.__module__)
            _patch_lang(self.fn)
        return self.rewrite()(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InterpretedFunction, "__call__", call)
        yield
