"""From a recipe to trained weights."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cascade_qec.training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from cascade_qec.training.trainer import Trainer

__all__ = ["Recipe", "Trainer", "load_recipe"]


def __getattr__(name: str) -> Any:
    if name == "Trainer":  # imports PyTorch, without which background processes sample shots
        return import_module("cascade_qec.training.trainer").Trainer
    raise AttributeError(f"module 'cascade_qec.training' has no attribute '{name}'")
