"""The page on which networks decode in the reader's browser: what it is told of models, and what serves it."""

from cascade_qec.page.model_file import MODELS, model_file
from cascade_qec.page.serving import HOST, serving
from cascade_qec.page.site import BUILT, contents, write

__all__ = ["BUILT", "HOST", "MODELS", "contents", "model_file", "serving", "write"]
