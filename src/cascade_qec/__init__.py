"""Cascade, a neural-network decoder for quantum error correction.

>>> import cascade_qec as cascade
>>> cascade.codes.get("bb72").k
12
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cascade_qec import circuits, codes, zoo
    from cascade_qec.decoders.cascade import CascadeDecoder, load
    from cascade_qec.decoders.escalation import EscalatingDecoder
    from cascade_qec.decoders.result import DecodeResult
    from cascade_qec.decoders.sinter import sinter_decoders
    from cascade_qec.errors import CascadeError, CascadeWarning

    __version__: str

__all__ = [
    "CascadeDecoder",
    "CascadeError",
    "CascadeWarning",
    "DecodeResult",
    "EscalatingDecoder",
    "__version__",
    "circuits",
    "codes",
    "load",
    "sinter_decoders",
    "zoo",
]

# Where each public name lives. PyTorch takes seconds to load, so a module is imported when it is first asked
# for.
_HOMES = {
    "CascadeDecoder": "cascade_qec.decoders.cascade",
    "CascadeError": "cascade_qec.errors",
    "CascadeWarning": "cascade_qec.errors",
    "DecodeResult": "cascade_qec.decoders.result",
    "EscalatingDecoder": "cascade_qec.decoders.escalation",
    "load": "cascade_qec.decoders.cascade",
    "sinter_decoders": "cascade_qec.decoders.sinter",
}


def __getattr__(name: str) -> Any:
    if name in ("circuits", "codes", "zoo"):
        return import_module(f"cascade_qec.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "__version__":
        return import_module("importlib.metadata").version("cascade-qec")
    raise AttributeError(f"module 'cascade_qec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
