"""What hardware to come would need for a decoder: multiply-accumulates, time at peak throughput, memory on the chip."""

from workshop.roofline.costs import (
    ARCHITECTURES,
    Architecture,
    BlockCost,
    block_cost,
    macs_per_round,
    multiplier_area_saving,
)
from workshop.roofline.dataflow import DataflowMemory, dataflow_memory
from workshop.roofline.devices import DEVICES, Device, get_device, latency_per_round
from workshop.roofline.shapes import CodeShape, shape_of
from workshop.roofline.table import RooflineRow, model_rows, read_roofline, roofline_rows, write_roofline

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
