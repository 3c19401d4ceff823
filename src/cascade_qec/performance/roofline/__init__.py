"""What hardware to come would need for a decoder: multiply-accumulates, time at peak throughput, memory on the chip."""

from cascade_qec.performance.roofline.costs import (
    ARCHITECTURES,
    Architecture,
    BlockCost,
    block_cost,
    macs_per_round,
    multiplier_area_saving,
)
from cascade_qec.performance.roofline.dataflow import DataflowMemory, dataflow_memory
from cascade_qec.performance.roofline.devices import DEVICES, Device, get_device, latency_per_round
from cascade_qec.performance.roofline.shapes import CodeShape, shape_of
from cascade_qec.performance.roofline.table import RooflineRow, model_rows, read_roofline, roofline_rows, write_roofline

__all__ = [
    "ARCHITECTURES",
    "DEVICES",
    "Architecture",
    "BlockCost",
    "CodeShape",
    "DataflowMemory",
    "Device",
    "RooflineRow",
    "block_cost",
    "dataflow_memory",
    "get_device",
    "latency_per_round",
    "macs_per_round",
    "model_rows",
    "multiplier_area_saving",
    "read_roofline",
    "roofline_rows",
    "shape_of",
    "write_roofline",
]
