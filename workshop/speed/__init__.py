"""How fast training is, how fast the device lets it be, and where the time goes."""

from workshop.speed.contender import STOCK, build, check_variants
from workshop.speed.convolutions import ConvolutionRow, convolution_speeds, convolution_variants
from workshop.speed.device_rates import DeviceRates, measure_rates
from workshop.speed.floor import Floor, floor
from workshop.speed.stock_network import StockNetwork
from workshop.speed.training import TrainingRow, training_speeds, with_shots

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
