"""How fast training is, how fast the device lets it be, and where the time goes."""

from cascade_qec.performance.contender import STOCK, build, check_variants
from cascade_qec.performance.convolutions import ConvolutionRow, convolution_speeds, convolution_variants
from cascade_qec.performance.device_rates import DeviceRates, measure_rates
from cascade_qec.performance.floor import Floor, floor
from cascade_qec.performance.stock_network import StockNetwork
from cascade_qec.performance.training_speed import TrainingRow, training_speeds, with_shots

__all__ = [
    "STOCK",
    "ConvolutionRow",
    "DeviceRates",
    "Floor",
    "StockNetwork",
    "TrainingRow",
    "build",
    "check_variants",
    "convolution_speeds",
    "convolution_variants",
    "floor",
    "measure_rates",
    "training_speeds",
    "with_shots",
]
