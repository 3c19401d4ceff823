"""Everything imported beforehand, so that a command line takes as long as its own work."""

import contextlib
import importlib
import pkgutil

import cascade_calibration
import cascade_qec

_LATE = ("cascade_qec_native", "torch._dynamo")
"""What the packages import where they need it; PyTorch's optimizers want the latter, which takes seconds."""


def preload() -> None:
    """Import all modules of the packages that can be imported here."""
    for package in (cascade_qec, cascade_calibration):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                _import(module.name)
    for name in _LATE:
        _import(name)


def _import(name: str) -> None:
    with contextlib.suppress(ImportError):  # of another platform, as Triton is
        importlib.import_module(name)
