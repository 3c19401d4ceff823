"""CSS codes: their checks, the lattice they live on, their schedules, and logical operators of minimum weight."""

from cascade_qec.codes import (
    bivariate_bicycle,
    colour,
    described,
    lifted_product,
    surface,
    tricycle,
    two_block_families,
)
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.bivariate_bicycle import BivariateBicycleCode
from cascade_qec.codes.colour import ColourCode
from cascade_qec.codes.css import CSSCode, Operators
from cascade_qec.codes.described import read_code
from cascade_qec.codes.duality import Duality
from cascade_qec.codes.family import Family, families, get, names, of_size, register
from cascade_qec.codes.frame import Frame, SpaceRelations
from cascade_qec.codes.group import GroupCode
from cascade_qec.codes.lifted_product import LiftedProductCode
from cascade_qec.codes.schedule import Schedule, SuperdenseSchedule
from cascade_qec.codes.surface import RepetitionCode, RotatedSurfaceCode, SurfaceCode, UnrotatedSurfaceCode
from cascade_qec.codes.tricycle import TricycleCode
from cascade_qec.codes.two_block import TwoBlockCode

__all__ = [
    "BASES",
    "Basis",
    "BivariateBicycleCode",
    "CSSCode",
    "ColourCode",
    "Duality",
    "Family",
    "Frame",
    "GroupCode",
    "LiftedProductCode",
    "Operators",
    "RepetitionCode",
    "RotatedSurfaceCode",
    "Schedule",
    "SpaceRelations",
    "SuperdenseSchedule",
    "SurfaceCode",
    "TricycleCode",
    "TwoBlockCode",
    "UnrotatedSurfaceCode",
    "families",
    "get",
    "names",
    "of_size",
    "opposite",
    "read_code",
    "register",
]

for _family in (
    *surface.FAMILIES,
    colour.FAMILY,
    bivariate_bicycle.FAMILY,
    *two_block_families.FAMILIES,
    tricycle.FAMILY,
    lifted_product.FAMILY,
    described.FAMILY,
):
    register(_family)
