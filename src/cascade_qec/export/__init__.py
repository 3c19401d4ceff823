"""Whole decoders as graphs of ONNX: from detection events to observables."""

from cascade_qec.export.onnx_file import export_onnx

__all__ = ["export_onnx"]
