"""CSS codes: their checks, the lattice they live on, their schedules, and logical operators of minimum weight."""

from cascade_qec.codes import bivariate_bicycle, surface
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.bivariate_bicycle import BivariateBicycleCode
from cascade_qec.codes.css import CSSCode, Operators
from cascade_qec.codes.family import Family, families, get, names, register
from cascade_qec.codes.frame import Frame, SpaceRelations
from cascade_qec.codes.schedule import Schedule
from cascade_qec.codes.surface import RotatedSurfaceCode

__all__ = [
    "BASES",
    "Basis",
    "BivariateBicycleCode",
    "CSSCode",
    "Family",
    "Frame",
    "Operators",
    "RotatedSurfaceCode",
    "Schedule",
    "SpaceRelations",
    "families",
    "get",
    "names",
    "opposite",
    "register",
]

for _module in (surface, bivariate_bicycle):
    register(_module.FAMILY)
