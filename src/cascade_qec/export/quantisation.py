"""Lattice convolutions in eight bits: static scales, of weights one for each channel, as pairs of Q and DQ nodes.

They are most of the work. All other products stay in float: those that narrow and widen a block lose the most where
they are rounded, and after the trunk a logit is what a decision hangs on (figures in docs/onnx.md).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.export.graph import require
from cascade_qec.export.network import CONVOLUTION

_BATCH = 32
"""Shots that are run at a time for the scales."""


def quantised(model: Any, shots: NDArray[np.uint8]) -> Any:
    """A float32 model whose trunk convolves in int8; the rest stays as it is.

    Activations are rounded before they are gathered, so that a neighbour is a byte for each channel, and products leave
    in float. Scales are symmetric, which TensorRT wants.

    Parameters
    ----------
    model
        An ONNX model of `cascade_qec.export.graph.Graph`.
    shots : uint8 [shots, detectors]
        What the ranges of activations are taken from.
    """
    quantization = require("onnxruntime.quantization")
    metadata = list(model.metadata_props)
    require("onnxruntime.quantization.quant_utils").add_pre_process_metadata(model)  # nothing is left to prepare
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "int8.onnx")
        quantization.quantize_static(
            model,
            out,
            _reader(model.graph.input[0].name, shots),
            quant_format=quantization.QuantFormat.QDQ,
            nodes_to_quantize=_convolutions(model),
            op_types_to_quantize=["Pad", "Gather", "Reshape", "MatMul"],
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "OpTypesToExcludeOutputQuantization": ["MatMul"],
            },
        )
        made = require("onnx").load(out)
    made.producer_name, made.producer_version = model.producer_name, model.producer_version
    del made.metadata_props[:]
    made.metadata_props.extend(metadata)
    return made


def _convolutions(model: Any) -> list[str]:
    """The nodes of the trunk's convolutions: each product, and all that gathers what it multiplies."""
    maker = {node.output[0]: node for node in model.graph.node if f"/{CONVOLUTION}" in node.name}
    chosen = []
    for node in [node for node in maker.values() if node.op_type == "MatMul"]:
        while node is not None and node.op_type in ("MatMul", "Reshape", "Gather", "Pad"):
            chosen.append(node.name)
            node = maker.get(node.input[0])
    return sorted(set(chosen))


def _reader(name: str, shots: NDArray[np.uint8]) -> Any:
    class Reader(require("onnxruntime.quantization").CalibrationDataReader):
        def __init__(self) -> None:
            self._starts = iter(range(0, len(shots), _BATCH))

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            start = next(self._starts, None)
            return None if start is None else {name: shots[start : start + _BATCH]}

    return Reader()
