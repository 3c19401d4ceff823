"""Operations of the network, each in plain PyTorch that reads like its formula."""

from cascade_qec.kernels.lattice_convolution import Relations, lattice_convolution

__all__ = ["Relations", "lattice_convolution"]
