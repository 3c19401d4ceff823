"""Operations of the network, each in plain PyTorch that reads like its formula, and in Triton where that pays."""

from cascade_qec.kernels.choice import backend, expect_precision, use
from cascade_qec.kernels.lattice_convolution import lattice_convolution
from cascade_qec.kernels.parameters import Block, Norm
from cascade_qec.kernels.relations import Relations
from cascade_qec.kernels.trunk import trunk

__all__ = ["Block", "Norm", "Relations", "backend", "expect_precision", "lattice_convolution", "trunk", "use"]
