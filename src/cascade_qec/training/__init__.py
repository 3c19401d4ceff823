"""From a recipe to trained weights."""

from cascade_qec.training.recipe import Recipe, load_recipe
from cascade_qec.training.trainer import Trainer

__all__ = ["Recipe", "Trainer", "load_recipe"]
