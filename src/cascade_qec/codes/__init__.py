"""CSS codes: their checks, the lattice they live on, and logical operators of minimum weight."""

from cascade_qec.codes.bivariate_bicycle import BivariateBicycleCode
from cascade_qec.codes.css import Basis, CSSCode
from cascade_qec.codes.registry import get, names
from cascade_qec.codes.surface import RotatedSurfaceCode

__all__ = ["Basis", "BivariateBicycleCode", "CSSCode", "RotatedSurfaceCode", "get", "names"]
