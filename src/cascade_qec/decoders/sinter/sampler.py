"""Sampling with Stim and decoding in batches as large as a decoder likes, as a sinter sampler."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import sinter
import stim

from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.decoders.sinter.adapter import bound_in_worker
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError

_BATCH_SECONDS = 1.0
_GROWTH = 16
_BATCH_BYTES = 1 << 28


@dataclass(frozen=True)
class BatchSampler(sinter.Sampler):
    """Stim's shots of a task through a decoder, in batches that take about a second.

    What ``sinter.collect`` makes of a ``sinter.Decoder`` by itself begins with single shots for every task and
    stops at 1024, which leaves a network idle most of the time. This one, given in the decoder's place, grows
    its batches until they take a second or fill a part of the memory, whatever number of shots that is.

    Parameters
    ----------
    decoder
        Any decoder. It alone travels to the workers.
    seed
        Seed of the shots, for tests; by default Stim takes one from the system.
    """

    decoder: Decoder
    seed: int | None = None

    def compiled_sampler_for_task(self, task: sinter.Task) -> CompiledBatchSampler:
        """Bind to a task with its circuit and detector error model.

        Raises
        ------
        CascadeError
            If the task post-selects, or the decoder cannot use its model.
        """
        if task.postselection_mask is not None or task.postselected_observables_mask is not None:
            raise CascadeError("expected a task without post-selection, got one with a mask")
        circuit = task.circuit
        if circuit is None:
            assert task.circuit_path is not None  # sinter has every task say one of the two
            circuit = stim.Circuit.from_file(task.circuit_path)
        dem = task.detector_error_model
        if dem is None:
            dem = error_model(circuit)
        return CompiledBatchSampler(bound_in_worker(self.decoder, dem), circuit, self.seed)


class CompiledBatchSampler(sinter.CompiledSampler):
    """Shots of one circuit, decoded and counted."""

    def __init__(self, decoder: BoundDecoder, circuit: stim.Circuit, seed: int | None = None) -> None:
        self._decoder = decoder
        self._sampler = circuit.compile_detector_sampler(seed=seed)
        self._observables = circuit.num_observables
        self._most = max(1, _BATCH_BYTES // max(1, circuit.num_detectors // 8))
        self._batch = 1

    def handles_throttling(self) -> bool:
        """Batches find their size here, not in sinter."""
        return True

    def sample(self, suggested_shots: int) -> sinter.AnonTaskStats:
        """Sample, decode and count one batch of at most `suggested_shots`.

        A shot is an error where any observable is predicted wrongly and the decoder does not discard it. The
        seconds are wall time of both sampling and decoding.

        Raises
        ------
        CascadeError
            If the predictions are not of the observables' shape.
        """
        shots = min(suggested_shots, self._batch)
        began = time.perf_counter()
        dets, packed = self._sampler.sample(shots, bit_packed=True, separate_observables=True)
        result = self._decoder.decode_batch(dets, bit_packed=True)
        observables = np.unpackbits(packed, axis=1, count=self._observables, bitorder="little").view(np.bool_)
        if result.observables.shape != observables.shape:
            raise CascadeError(
                f"expected predictions of shape {list(observables.shape)}, got {list(result.observables.shape)}"
            )
        wrong = (result.observables != observables).any(axis=1)
        discards = 0
        if result.discarded is not None:
            wrong &= ~result.discarded
            discards = int(np.count_nonzero(result.discarded))
        seconds = time.perf_counter() - began
        if shots == self._batch or seconds > _BATCH_SECONDS:
            affordable = int(shots * _BATCH_SECONDS / max(seconds, 1e-6))
            self._batch = max(1, min(affordable, _GROWTH * shots, self._most))
        return sinter.AnonTaskStats(
            shots=shots, errors=int(np.count_nonzero(wrong)), discards=discards, seconds=seconds
        )
