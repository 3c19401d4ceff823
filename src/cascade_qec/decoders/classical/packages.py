"""The packages that do the work of the classical decoders, imported when they are needed."""

from importlib import import_module
from typing import Any

from cascade_qec.errors import CascadeError

_DISTRIBUTIONS = {"relay_bp": "relay-bp", "tesseract_decoder": "tesseract-decoder"}
"""What pip calls a package, where that is not the name it is imported by."""


def require_package(package: str, whose: str) -> Any:
    """Import a package.

    Returns
    -------
    module

    Raises
    ------
    CascadeError
        If it is not installed; the message tells who needs it and how to get it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        distribution = _DISTRIBUTIONS.get(package, package)
        raise CascadeError(
            f"{whose} needs the package {package}, which is not installed; "
            f'get it with: pip install "cascade-qec[classical]" or: pip install {distribution}'
        ) from error
