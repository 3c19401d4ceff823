"""The kernels in C++, where `cascade-qec-native` is installed, and how many threads they may use."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from types import ModuleType

from cascade_qec.errors import CascadeError

_THREADS = "OMP_NUM_THREADS"
_INTERFACE = 2
"""Of the package's functions, as this one calls them."""


@cache
def native() -> ModuleType | None:
    """The package `cascade_qec_native`, or None where it is not installed.

    Raises
    ------
    CascadeError
        If CASCADE_INSTRUCTIONS asks for what the chip has not, or the package is of another version than this one.
    """
    try:
        kernels = import_module("cascade_qec_native")
    except ImportError:
        return None
    if (found := getattr(kernels, "INTERFACE", 0)) != _INTERFACE:
        raise CascadeError(
            f"expected the package cascade-qec-native of interface {_INTERFACE}, got one of interface {found}: build "
            f"it anew, by make, or by pip install ./native in a checkout"
        )
    try:
        kernels.lanes()  # reads it
    except ValueError as error:
        raise CascadeError(str(error)) from error
    return kernels


def native_bfloat16() -> bool:
    """Whether the kernels are installed, and multiply bfloat16 on this chip."""
    kernels = native()
    return kernels is not None and kernels.has_bfloat16()


def native_int8() -> bool:
    """Whether they multiply eight bits, too."""
    kernels = native()
    return kernels is not None and kernels.has_int8()


def threads() -> int:
    """How many threads decode: OMP_NUM_THREADS, as everywhere, or as many as this process may use."""
    asked = os.environ.get(_THREADS, "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int) -> None:
    """Decode and train in so many threads from here on, in this process and those that it starts."""
    os.environ[_THREADS] = str(count)
    if "torch" in sys.modules:  # it reads the variable when it is loaded
        sys.modules["torch"].set_num_threads(count)
