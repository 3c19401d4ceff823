"""Decoders by their names: classical ones, ``cascade:bb72``, and ``cascade:bb72@0.99`` with a threshold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import stim

from cascade_qec.decoders import classical
from cascade_qec.decoders.discarding import Discarding
from cascade_qec.decoders.protocol import BoundDecoder, Decoder

MODEL_PREFIX = "cascade:"
"""What comes before the model's name, or its file, where a model is named as a decoder."""


def get(name: str, *, device: str = "auto", precision: str = "auto", allow_unmeasured: bool = False) -> Decoder:
    """A decoder by its name. A model's weights are not looked for before the decoder is bound.

    Parameters
    ----------
    name
        One of `cascade_qec.decoders.classical.names`; ``cascade:MODEL``, with a name in the zoo or the path of a
        ``.safetensors`` file; or ``cascade:MODEL@0.99``, which discards the shots of less confidence.
    device, precision, allow_unmeasured
        Of models: as `cascade_qec.load` takes them.

    Raises
    ------
    CascadeError
        If there is no classical decoder of that name, or the threshold is not in (0, 1].
    """
    if not name.startswith(MODEL_PREFIX):
        return classical.get(name)
    model, threshold = model_and_threshold(name)
    named = NamedModel(model, device, precision, allow_unmeasured)
    return named if threshold is None else Discarding(named, threshold)


def model_and_threshold(name: str) -> tuple[str, float | None]:
    """What a decoder's name ``cascade:MODEL`` or ``cascade:MODEL@THRESHOLD`` says. The threshold is not checked."""
    model, at, threshold = name.removeprefix(MODEL_PREFIX).rpartition("@")
    if at:
        try:
            return model, float(threshold)
        except ValueError:  # a file may have an @ in its name
            pass
    return name.removeprefix(MODEL_PREFIX), None


@dataclass(frozen=True)
class NamedModel:
    """A model as a decoder that loads its weights when it is bound: only the name travels to other processes.

    Attributes
    ----------
    model
        Name in the zoo, or the path of a ``.safetensors`` file.
    device, precision, allow_unmeasured
        As `cascade_qec.load` takes them.
    """

    model: str
    device: str = "auto"
    precision: str = "auto"
    allow_unmeasured: bool = False

    @property
    def name(self) -> str:
        return f"{MODEL_PREFIX}{self.model}"

    @property
    def parameters(self) -> Mapping[str, object]:
        """The beginning of the weights' SHA-256, and the precision as it was asked for.

        Raises
        ------
        CascadeError
            If there is no such model.
        """
        from cascade_qec.zoo import registry

        return {"weights_sha256": _digest(registry.path(self.model)), "precision": self.precision}

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        """Load the weights, and bind them.

        Raises
        ------
        CascadeError
            If the model is unknown, or the experiment is none of its code or of rounds that it was not measured at.
        """
        from cascade_qec.decoders.cascade import load  # here: PyTorch takes seconds to load

        return load(
            self.model,
            circuit=experiment,
            device=self.device,
            precision=self.precision,
            allow_unmeasured=self.allow_unmeasured,
        )


@lru_cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
