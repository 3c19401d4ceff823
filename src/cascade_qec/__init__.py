"""Cascade, a neural-network decoder for quantum error correction.

>>> import cascade_qec as cascade
>>> cascade.codes.get("bb72").k
12
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cascade_qec import circuits, codes, decoders, zoo
    from cascade_qec.decoders.bound_cascade import BoundCascade
    from cascade_qec.decoders.cascade import CascadeDecoder
    from cascade_qec.decoders.escalation import BoundEscalation, EscalatingDecoder
    from cascade_qec.decoders.loading import load
    from cascade_qec.decoders.result import DecodeResult
    from cascade_qec.decoders.sinter import sinter_decoders
    from cascade_qec.errors import CascadeError, CascadeWarning
    from cascade_qec.zoo.registry import names as models

    __version__: str

__all__ = [
    "BoundCascade",
    "BoundEscalation",
    "CascadeDecoder",
    "CascadeError",
    "CascadeWarning",
    "DecodeResult",
    "EscalatingDecoder",
    "__version__",
    "circuits",
    "codes",
    "decoders",
    "load",
    "models",
    "sinter_decoders",
    "zoo",
]

# Where each public name lives. PyTorch takes seconds to load, so a module is imported when it is first asked for.
_HOMES = {
    "BoundCascade": "cascade_qec.decoders.bound_cascade",
    "BoundEscalation": "cascade_qec.decoders.escalation",
    "CascadeDecoder": "cascade_qec.decoders.cascade",
    "CascadeError": "cascade_qec.errors",
    "CascadeWarning": "cascade_qec.errors",
    "DecodeResult": "cascade_qec.decoders.result",
    "EscalatingDecoder": "cascade_qec.decoders.escalation",
    "load": "cascade_qec.decoders.loading",
    "sinter_decoders": "cascade_qec.decoders.sinter",
}


def __getattr__(name: str) -> Any:
    if name in ("circuits", "codes", "decoders", "zoo"):
        return import_module(f"cascade_qec.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "models":
        return import_module("cascade_qec.zoo.registry").names
    if name == "__version__":
        return import_module("importlib.metadata").version("cascade-qec")
    raise AttributeError(f"module 'cascade_qec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
