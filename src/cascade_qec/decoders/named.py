"""Decoders by their names: classical ones, and models, ``cascade:bb72``.

After a model's may come a fallback, ``+bposd-lowest``, and a threshold of confidence, ``@0.99``; after any windows,
``~5+5``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import stim

from cascade_qec.decoders import classical
from cascade_qec.decoders.discarding import Discarding
from cascade_qec.decoders.escalation import BELOW, EscalatingDecoder
from cascade_qec.decoders.protocol import BoundDecoder, Decoder

if TYPE_CHECKING:
    from cascade_qec.decoders.cascade import CascadeDecoder

MODEL_PREFIX = "cascade:"
"""What comes before the model's name, or its file, where a model is named as a decoder."""


def get(name: str, *, device: str = "auto", precision: str = "auto", allow_unmeasured: bool = False) -> Decoder:
    """A decoder by its name. A model's weights are not looked for before the decoder is bound.

    Parameters
    ----------
    name
        One of `cascade_qec.decoders.classical.names`; ``cascade:MODEL``, with a name in the zoo or the path of a
        ``.safetensors`` file; ``cascade:MODEL@0.99``, which discards the shots of less confidence;
        ``cascade:MODEL+bposd-lowest@0.99``, which has a classical decoder decide them, those below 0.99 also where no
        threshold is named; or any without fallback and ``~5+5`` or ``~seam5+5``: in windows that decide 5 rounds and
        see 5 more, see `cascade_qec.decoders.streams`.
    device, precision, allow_unmeasured
        Of models: as `cascade_qec.load` takes them.

    Raises
    ------
    CascadeError
        If there is no classical decoder of that name, or the threshold is not in (0, 1].

    Examples
    --------
    >>> get("cascade:local_surface+bposd-lowest").name
    'cascade:local_surface+bposd-lowest'
    """
    whole, in_windows = without_windows(name)
    if in_windows is not None:
        from cascade_qec.decoders.streams.streamed import Streamed  # here: it builds on this module

        decoder = get(whole, device=device, precision=precision, allow_unmeasured=allow_unmeasured)
        return Streamed(decoder, int(in_windows[2]), int(in_windows[3]), "seam" if in_windows[1] else "carry")
    if not name.startswith(MODEL_PREFIX):
        return classical.get(name)
    model, fallback, threshold = parts(name)
    named = NamedModel(model, device, precision, allow_unmeasured)
    if fallback is not None:
        return EscalatingDecoder(named, classical.get(fallback), BELOW if threshold is None else threshold)
    return named if threshold is None else Discarding(named, threshold)


def without_windows(name: str) -> tuple[str, re.Match[str] | None]:
    """A decoder's name without the windows that it asks for, and what these are."""
    found = re.search(r"~(seam)?(\d+)\+(\d+)$", name)
    return (name if found is None else name[: found.start()]), found


class ModelName(NamedTuple):
    """What a name ``cascade:MODEL``, and maybe ``+FALLBACK`` and ``@THRESHOLD``, says. Only the fallback is checked."""

    model: str
    fallback: str | None
    threshold: float | None


def parts(name: str) -> ModelName:
    """The parts of a model's name as a decoder.

    Raises
    ------
    CascadeError
        If there is no classical decoder of the fallback's name.
    """
    model, threshold = name.removeprefix(MODEL_PREFIX), None
    before, at, number = model.rpartition("@")
    if at:
        with suppress(ValueError):  # a file may have an @ in its name
            model, threshold = before, float(number)
    first, plus, fallback = model.rpartition("+")
    if not plus or model.endswith(".safetensors"):  # a file may have a + in its name, too
        return ModelName(model, None, threshold)
    return ModelName(first, classical.get(fallback).name, threshold)


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

    def loaded(self) -> CascadeDecoder:
        """The model itself.

        Raises
        ------
        CascadeError
            If it is unknown.
        """
        from cascade_qec.decoders.loading import load  # here: PyTorch takes seconds to load

        return load(self.model, device=self.device, precision=self.precision, allow_unmeasured=self.allow_unmeasured)

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        """Load the weights, and bind them.

        Raises
        ------
        CascadeError
            If the model is unknown, or the experiment is none of its code or of rounds that it was not measured at.
        """
        return self.loaded().bind(experiment)


@lru_cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
