"""Everything imported beforehand, so that a command line takes as long as its own work."""

import importlib
import pkgutil

import cascade_qec


def preload() -> None:
    """Import all modules of the package that can be imported here."""
    for module in pkgutil.walk_packages(cascade_qec.__path__, f"{cascade_qec.__name__}."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError:
                continue  # of another platform, as Triton is
