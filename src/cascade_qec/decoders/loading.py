"""Loading of trained models, by a name of the zoo or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import overload

from cascade_qec.decoders.bound_cascade import BoundCascade
from cascade_qec.decoders.cascade import CascadeDecoder, Source
from cascade_qec.decoders.escalation import BELOW, BoundEscalation, EscalatingDecoder, fallback_decoder
from cascade_qec.decoders.local import BoundLocal, LocalDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.model import load_model
from cascade_qec.recognition import read_error_model
from cascade_qec.zoo import registry


@overload
def load(  # pyright: ignore[reportOverlappingOverload]
    model: str | Path,
    *,
    circuit: None = None,
    dem: None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    allow_unmeasured: bool = False,
    fallback: None = None,
    below: None = None,
) -> CascadeDecoder: ...


@overload
def load(
    model: str | Path,
    *,
    circuit: Source | None = None,
    dem: Source | None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    allow_unmeasured: bool = False,
    fallback: None = None,
    below: None = None,
) -> BoundCascade: ...


@overload
def load(  # pyright: ignore[reportOverlappingOverload]
    model: str | Path,
    *,
    circuit: None = None,
    dem: None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    allow_unmeasured: bool = False,
    fallback: str,
    below: float | None = None,
) -> EscalatingDecoder: ...


@overload
def load(
    model: str | Path,
    *,
    circuit: Source | None = None,
    dem: Source | None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    allow_unmeasured: bool = False,
    fallback: str,
    below: float | None = None,
) -> BoundEscalation: ...


def load(
    model: str | Path,
    *,
    circuit: Source | None = None,
    dem: Source | None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    allow_unmeasured: bool = False,
    fallback: str | None = None,
    below: float | None = None,
) -> CascadeDecoder | BoundCascade | BoundLocal | EscalatingDecoder | BoundEscalation:
    """Load a trained decoder.

    Parameters
    ----------
    model
        A name in the zoo ("bb72"), or the path of a ``.safetensors`` file.
    circuit, dem
        The circuit, or instead of it the detector error model, whose shots will be decoded, its text, or the path of a
        file of it: a memory experiment of the model's code by any tool, see `CascadeDecoder.bind`. Without either the
        decoder is not bound yet.
    device
        "auto" (a CUDA device where there is one), "cpu", "cuda" or "cuda:N".
    precision
        "auto", "float32", "bfloat16", and on CUDA devices "float16" and "fp8", which is bfloat16 with products in FP8.
        "int8", for CPUs that have AVX512_VNNI, is bfloat16 with convolutions in eight bits. "auto" is bfloat16 on GPUs
        that multiply it in hardware, and on such CPUs where the native kernels are missing.
    runtime
        "native" (the kernels of `cascade-qec-native`), "torch", "numpy", or "auto": the fastest that there is, see
        `cascade_qec.decoders.runtime.choose`.
    allow_unmeasured
        Decode experiments of other numbers of rounds than the model was measured at, too. Nothing is known of how sure
        it is there: it tells neither probabilities nor log-odds, and no fallback can be asked by them.
    fallback
        A classical decoder for the shots that the network doubts: "relay", "tesseract", "bposd",
        "pymatching-correlated" or any other of `cascade_qec.decoders.classical.names`. The circuit tells it how likely
        errors are. ``cascade bench escalation`` shows what thresholds are worth.
    below
        The confidence below which a shot goes to the fallback, above 0 and at most 1; 0.99 unless given.

    Returns
    -------
    CascadeDecoder, or BoundCascade with a circuit or error model
        With a fallback EscalatingDecoder, or BoundEscalation. Of a local model LocalDecoder, or BoundLocal.

    Raises
    ------
    CascadeError
        For an unknown name, a damaged file, an unusable device, a circuit of another code or of rounds that the model
        was not measured at, or a fallback that is unknown, not installed, or cannot decode the circuit.

    Examples
    --------
    >>> import cascade_qec as cascade
    >>> noise = cascade.circuits.UniformDepolarizing(0.003)
    >>> circuit = cascade.circuits.memory(cascade.codes.get("surface_d3"), rounds=3, noise=noise)
    >>> detection_events, flips = circuit.compile_detector_sampler().sample(100, separate_observables=True)
    >>> decoder = cascade.load("surface_d3", circuit=circuit, device="cpu")
    >>> decoder.decode_batch(detection_events).observables.shape
    (100, 1)
    """
    if fallback is None and below is not None:
        raise CascadeError(f"expected a fallback for shots below {below}, got none")
    if circuit is not None and dem is not None:
        raise CascadeError("expected a circuit or an error model (dem), got both")
    state, description = load_model(registry.path(model))
    kind = LocalDecoder if description.head == "local" else CascadeDecoder
    decoder: CascadeDecoder | EscalatingDecoder
    decoder = network_decoder = kind(
        state, description, device=device, precision=precision, runtime=runtime, allow_unmeasured=allow_unmeasured
    )
    if fallback is not None:
        second = fallback_decoder(fallback, network_decoder.code)
        decoder = EscalatingDecoder(decoder, second, BELOW if below is None else below)
    if dem is not None:
        # of any ending: the argument says what the file holds
        return decoder.bind(read_error_model(dem) if isinstance(dem, (str, Path)) else dem)
    return decoder if circuit is None else decoder.bind(circuit)
