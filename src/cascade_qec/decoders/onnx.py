"""Decoders in .onnx files that ``cascade export`` wrote, run by onnxruntime. Nothing else of the model is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.native import threads

KEY = "cascade"
"""What the names of a file's metadata begin with."""

_SHOTS = 32
"""Shots that are run at a time: with more, what a layer hands to the next leaves the cache."""

_ENTRY = b"r\x52\n\x0ecascade.sha256\x12\x40"
"""What comes before the digest at the end of a file: an entry of the metadata, written by hand.

In the protocol buffer that a model is, entries are field 14, and an entry's fields 1 and 2 are key and value, each with
its length before it. Whatever reads ONNX takes it as such, as repeated fields may come in any place.
"""


def digest_entry(body: bytes) -> bytes:
    """The end of a file: the SHA-256 of all before it, as one more entry of the metadata."""
    return _ENTRY + hashlib.sha256(body).hexdigest().encode()


def load_onnx(path: str | Path) -> BoundOnnx:
    """Load a decoder from an .onnx file. It is bound to the experiment that it was exported for.

    Raises
    ------
    CascadeError
        If the file cannot be read, is none of ``cascade export`` or was changed since, holds no decision (as of a
        local model), or onnxruntime is not installed.
    """
    return BoundOnnx(path)


class BoundOnnx(Bound[DecodeResult]):
    """A whole decoder in an .onnx file, on the CPU. Made by `load_onnx`.

    Attributes
    ----------
    metadata : dict of str
        What the file says of itself: ``model``, ``code``, ``rounds``, ``basis``, ``precision`` and more.
    tells_confidence : bool
        Whether results have probabilities and log-odds.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        content = _read(Path(path))
        self._session = _session(content, path)
        found = self._session.get_modelmeta().custom_metadata_map
        self.metadata = {
            name.removeprefix(f"{KEY}."): value for name, value in found.items() if name.startswith(f"{KEY}.")
        }
        self._input = self._session.get_inputs()[0]
        outputs = {output.name: output.shape for output in self._session.get_outputs()}
        # Of the layout "ising", which is for one observable, the first column is that; unless events are left.
        decided = [name for name in ("observables", "L_and_residual_dets") if name in outputs]
        if not decided or "left" in self.metadata:
            found = "a pre-decoder, which leaves events" if decided else f"one whose outputs are {', '.join(outputs)}"
            raise CascadeError(f"{path}: expected a decoder that decides observables, found {found}")
        self.tells_confidence = "log_odds" in outputs
        self._outputs = [*decided, "probabilities", "log_odds"] if self.tells_confidence else decided
        self._shapes = [(0, *outputs[name][1:]) for name in self._outputs]
        self.num_detectors = self._input.shape[1]
        self.num_observables = outputs["observables"][1] if "observables" in outputs else 1
        told = self.metadata
        self.name = f"model {told['model']} ({told['rounds']} rounds, basis {told['basis']}, ONNX {told['precision']})"

    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> DecodeResult:
        given = events.unpacked(detection_events, self.num_detectors) if bit_packed else detection_events
        parts = [[np.zeros(shape, np.float32) for shape in self._shapes]]
        for start in range(0, len(given), _SHOTS):
            shots = np.ascontiguousarray(given[start : start + _SHOTS]).view(np.uint8)
            parts.append(self._session.run(self._outputs, {self._input.name: shots}))
        observables, *known = (np.concatenate(each) for each in zip(*parts, strict=True))
        if any(np.isnan(each).any() for each in known):
            raise CascadeError("expected finite numbers from the network, got infinite ones or none at all (NaN)")
        return DecodeResult(observables[:, : self.num_observables] > 0, *known)

    def __reduce__(self) -> tuple[Callable[..., BoundOnnx], tuple[object, ...]]:
        return load_onnx, (self._path,)


def _read(path: Path) -> bytes:
    """The bytes of a file whose digest is right."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    body = content[: -len(digest_entry(b""))]
    if content[len(body) :][: len(_ENTRY)] != _ENTRY:
        raise CascadeError(f"{path}: expected an .onnx file that cascade export wrote, found none, or a part of one")
    if content[len(body) :] != digest_entry(body):
        raise CascadeError(f"{path}: is damaged: its contents do not match the digest in it")
    return content


def _session(content: bytes, path: str | Path) -> Any:
    try:
        onnxruntime = import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise CascadeError(
            f"{path}: needs the package onnxruntime, which is not installed; "
            'get it with: pip install "cascade-qec[onnx]" or: pip install onnxruntime'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = 3  # errors, which come as exceptions as well
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
