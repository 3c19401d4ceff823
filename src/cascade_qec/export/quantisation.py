"""Products in eight bits: static scales, one for each channel of the weights, as pairs of Q and DQ nodes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.export.graph import require

_BATCH = 32
"""Shots that are run at a time for the scales."""


def quantised(model: Any, shots: NDArray[np.uint8], *, keep: Sequence[str] = ()) -> Any:
    """A float32 model whose trunk multiplies in int8; the rest stays as it is.

    Parameters
    ----------
    model
        An ONNX model of `cascade_qec.export.graph.Graph`.
    shots : uint8 [shots, detectors]
        What the ranges of activations are taken from.
    keep
        Parts of the names of products that stay in float32.
    """
    quantization, calibrate = require("onnxruntime.quantization"), require("onnxruntime.quantization.calibrate")
    given = model.graph.input[0].name

    class Reader(calibrate.CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = iter(range(0, len(shots), _BATCH))

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            start = next(self._batches, None)
            return None if start is None else {given: shots[start : start + _BATCH]}

    chosen = [
        node.name
        for node in model.graph.node
        if node.op_type == "MatMul" and "block" in node.name and not any(each in node.name for each in keep)
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "int8.onnx")
        quantization.quantize_static(
            model,
            out,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            nodes_to_quantize=chosen,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            # Symmetric, which TensorRT wants; sums stay float, which loses less.
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "OpTypesToExcludeOutputQuantization": ["MatMul"],
            },
        )
        return require("onnx").load(out)
