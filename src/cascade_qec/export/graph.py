"""An ONNX graph that is written node by node, each named by its place and number: the same model, the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

OPSET = 17
"""The oldest with all that is used here: onnxruntime from 1.12 on and TensorRT 10 read it."""

IR_VERSION = 8
"""Of the file format, the one that belongs to this opset."""


def require(package: str) -> Any:
    """Import a package of the extra `onnx`.

    Raises
    ------
    CascadeError
        If it is not installed; the message tells how to get it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise CascadeError(
            f"export to ONNX needs the package {error.name}, which is not installed; "
            'get it with: pip install "cascade-qec[onnx]"'
        ) from error


class Graph:
    """Nodes and constants. Tensors are known by their names; `add` gives the name of what a node makes."""

    def __init__(self) -> None:
        self._onnx = require("onnx")
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._names: dict[tuple[Any, ...], str] = {}
        self._used: Counter[str] = Counter()
        self._place: list[str] = []

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Within this context names begin with a place."""
        self._place.append(place)
        yield
        self._place.pop()

    def add(
        self, operator: str, *inputs: str | NDArray[Any] | float, name: str | None = None, **attributes: Any
    ) -> str:
        """A node with one output; arrays become constants, and numbers such of float32."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = name or self._named(operator)
        self._nodes.append(self._onnx.helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def constant(self, value: NDArray[Any] | float) -> str:
        """The name of a constant; equal ones, such as the tables of all blocks, are kept once."""
        array = np.asarray(value, np.float32) if isinstance(value, (float, int)) else np.ascontiguousarray(value)
        content = (array.dtype.str, array.shape, array.tobytes())
        if content in self._names:
            return self._names[content]
        name = self._names[content] = self._named("constant")
        self._constants[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def cast(self, x: str, dtype: Any, name: str | None = None) -> str:
        """To another type, a NumPy one."""
        return self.add("Cast", x, name=name, to=self._type(dtype))

    def silu(self, x: str) -> str:
        """``x / (1 + exp(-x))``."""
        return self.add("Mul", x, self.add("Sigmoid", x))

    def odd(self, x: str) -> str:
        """Whether whole numbers are odd: 0 or 1, float32. (Mod has narrower support.)"""
        half = self.add("Floor", self.add("Mul", x, 0.5))
        return self.add("Sub", x, self.add("Mul", half, 2.0))

    def xor(self, x: str, y: str | NDArray[np.float32]) -> str:
        """Of zeros and ones in float32, or the probability that just one of two independent things holds."""
        y = y if isinstance(y, str) else self.constant(y)
        return self.add("Sub", self.add("Add", x, y), self.add("Mul", self.add("Mul", x, y), 2.0))

    def log_sum_exp(self, x: str) -> tuple[str, str]:
        """Over the last axis, which stays with size 1: the highest, and the logarithm of the sum above it."""
        highest = self.add("ReduceMax", x, axes=[-1], keepdims=1)
        sums = self.add("ReduceSum", self.add("Exp", self.add("Sub", x, highest)), np.array([-1]), keepdims=1)
        return highest, self.add("Log", sums)

    def model(
        self,
        inputs: dict[str, tuple[Any, list[Any]]],
        outputs: dict[str, tuple[Any, list[Any]]],
        metadata: dict[str, str],
        version: str,
    ) -> Any:
        """The model, of inputs and outputs by name: a NumPy type and a shape."""
        helper = self._onnx.helper

        def values(of: dict[str, tuple[Any, list[Any]]]) -> list[Any]:
            return [
                helper.make_tensor_value_info(name, self._type(dtype), shape) for name, (dtype, shape) in of.items()
            ]

        graph = helper.make_graph(
            self._nodes, "cascade", values(inputs), values(outputs), initializer=list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="cascade-qec",
            producer_version=version,
        )
        helper.set_model_props(model, metadata)
        self._onnx.checker.check_model(model, full_check=True)
        return model

    def _type(self, dtype: Any) -> int:
        return self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def _named(self, what: str) -> str:
        stem = "/".join([*self._place, what])
        self._used[stem] += 1
        return f"{stem}_{self._used[stem]}"
