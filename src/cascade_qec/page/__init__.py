"""The page on which networks decode in the reader's browser: what it is told of models, and what serves it."""

from cascade_qec.page.model_file import MODELS, model_file
from cascade_qec.page.own_shots import OwnShots, own_shots
from cascade_qec.page.serving import HOST, serving
from cascade_qec.page.site import BUILT, contents, write

__all__ = ["BUILT", "HOST", "MODELS", "OwnShots", "contents", "model_file", "own_shots", "serving", "write"]
