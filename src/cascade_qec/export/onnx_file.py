"""A model and an experiment to an .onnx file: the graph, what it says of itself, and a digest of both."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import stim

from cascade_qec.codes import Basis
from cascade_qec.decoders.cascade import CascadeDecoder, Source
from cascade_qec.decoders.loading import load
from cascade_qec.decoders.onnx import KEY, digest_entry
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError
from cascade_qec.export.graph import require
from cascade_qec.export.quantisation import quantised
from cascade_qec.export.whole import Layout, whole
from cascade_qec.files import written_whole
from cascade_qec.recognition import read_error_model, read_experiment
from cascade_qec.zoo import registry
from cascade_qec.zoo.checksum import Checksum

Precision = Literal["float32", "float16", "int8"]


def export_onnx(
    model: str | Path,
    out: str | Path,
    *,
    circuit: Source | None = None,
    dem: Source | None = None,
    rounds: int | None = None,
    basis: Basis | None = None,
    precision: Precision = "float32",
    layout: Layout = "decoder",
    allow_unmeasured: bool = False,
) -> None:
    """Write a whole decoder for one experiment as an .onnx file. What is in it: docs/onnx.md.

    Parameters
    ----------
    model
        A name in the zoo, or the path of a ``.safetensors`` file.
    out
        The file; it appears whole or not at all.
    circuit, dem
        The experiment, as for `cascade_qec.load`. Without either it is the decoder's own, of `rounds` and `basis`.
    precision
        "float32", or of the network's weights and activations "float16", or "int8" in the products of most of its
        layers, with scales from shots of the experiment.
    layout
        What inputs and outputs are called and shaped like, see `cascade_qec.export.whole.whole`.
    allow_unmeasured
        Take experiments of other rounds than the model was measured at, without a confidence.

    Raises
    ------
    CascadeError
        If the packages of the extra `onnx` are missing, the experiment is given twice, does not fit the model or has
        more than 12 observables, or the file cannot be written.
    """
    require("onnx")
    if sum(each is not None for each in (circuit, dem, rounds if basis is None else basis)) > 1:
        raise CascadeError(
            "expected a circuit, an error model (dem), or rounds and basis of the decoder's own, got two"
        )
    if precision not in ("float32", "float16", "int8") or layout not in ("decoder", "ising"):
        raise CascadeError(
            f"expected precision float32, float16 or int8 and layout decoder or ising, got {precision!r} and {layout!r}"
        )
    experiment = None
    if dem is not None:  # of any ending: the argument says what the file holds
        experiment = read_error_model(dem) if isinstance(dem, (str, Path)) else dem
    elif circuit is not None:
        experiment = read_experiment(circuit)
    path = registry.path(model)
    decoder = load(path, device="cpu", runtime="numpy", allow_unmeasured=allow_unmeasured)
    bound: Any = decoder.bind(rounds=rounds, basis=basis) if experiment is None else decoder.bind(experiment)
    made = whole(bound, layout=layout, dtype=np.float16 if precision == "float16" else np.float32)
    lattices = made.lattices
    metadata = _metadata(decoder, path) | {
        "code": lattices[0].code.name,
        "rounds": str(lattices[0].rounds),
        "basis": " and ".join(lattice.basis for lattice in lattices),
        "precision": precision,
        "layout": layout,
        "outputs": " ".join(made.outputs),
    }
    if _local(decoder) and layout == "ising":
        metadata["left"] = "events that a matching has yet to explain; its observables are to be added"
    elif _local(decoder):
        metadata["log_odds"] = (
            "that each component of the error model is flipped; a matching or another search decides by them, "
            "and is not in the graph"
        )
    if _local(decoder) or not bound.tells_confidence:
        metadata.pop("calibration", None)
    graph = made.graph.model(
        made.inputs,
        made.outputs,
        {f"{KEY}.{name}": value for name, value in metadata.items()},
        version("cascade-qec"),
    )
    if precision == "int8":
        graph = quantised(graph, _shots(decoder, experiment, rounds, basis))
    body = graph.SerializeToString(deterministic=True)
    with written_whole(Path(out)) as file:
        file.write(body + digest_entry(body))


def _local(decoder: CascadeDecoder) -> bool:
    return decoder.description.head == "local"


def _metadata(decoder: CascadeDecoder, path: Path) -> dict[str, str]:
    """What the file says of the model."""
    made, card = decoder.description, path.with_suffix(".json")
    known = {
        "format": "1",
        "version": version("cascade-qec"),
        "model": made.name,
        "head": made.head,
        "weights_sha256": Checksum.of(path).sha256,
    }
    if card.is_file():
        known["card_sha256"] = Checksum.of(card).sha256
    if made.calibration is not None:
        known["calibration"] = made.calibration.model_dump_json()
    return known


def _shots(
    decoder: CascadeDecoder,
    experiment: stim.Circuit | stim.DetectorErrorModel | None,
    rounds: int | None,
    basis: Basis | None,
) -> np.ndarray:
    """Shots to find scales by, uint8 [shots, detectors]: of the experiment, or of the decoder's own noise."""
    made = decoder.description
    if experiment is None:
        experiment = decoder.experiment(made.noise_p, rounds=rounds, basis=basis or made.bases[0])
    dem = error_model(experiment) if isinstance(experiment, stim.Circuit) else experiment
    return dem.compile_sampler(seed=1).sample(256)[0].astype(np.uint8)
