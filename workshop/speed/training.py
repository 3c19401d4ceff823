"""How many shots a second training sees, in our network and in stock PyTorch, and what that is of the possible."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path

import torch

from cascade_qec.device import synchronize
from cascade_qec.tables import circumstances
from cascade_qec.training import Recipe
from cascade_qec.training.feed import Batch
from workshop.speed.contender import STOCK, Contender, check_variants
from workshop.speed.device_rates import DeviceRates
from workshop.speed.floor import floor
from workshop.speed.pipeline import pipeline
from workshop.speed.profiling import profile_steps
from workshop.speed.rows import SpeedRow

_TURNS_ON_CPU = 3
"""Variants take turns, so that what else the machine does hits all alike."""


class TrainingRow(SpeedRow):
    """Speed of one recipe's training step in one variant. All times are milliseconds of a whole step.

    Attributes
    ----------
    shots : int
        Of each basis in a micro-batch. Where this is less than the recipe asks for, memory did not hold more.
    micro_batches : int
        In a step.
    bases : str
    seed : int
        Of weights and shots.
    shots_per_second, step_ms : float
        With the shots sampled, moved to the device and unpacked meanwhile.
    shots_per_core_second : float or None
        On a CPU: over this process' own time on its cores, which other work on the machine leaves alone. That of
        the processes which sample the shots is not in it.
    forward_ms, backward_ms, optimizer_ms : float
        Of the same step with its shots at hand, each part timed for itself. The passes are launched operation by
        operation also where the step replays a graph, so their sum may exceed `step_ms`.
    data_ms : float
        Time in which the step waits for shots; on a GPU, what `step_ms` has more than the same step with its
        shots at hand.
    operations_per_shot, bytes_per_shot : float
        Of `workshop.speed.floor`; a shot is one experiment of one basis.
    matrix_rate, copy_rate : float
        Operations and bytes per second that the device reaches at best, measured in the same run.
    utilisation, copy_share : float
        Model FLOP utilisation: operations per second of the floor's count over `matrix_rate`; and the same of bytes.
    ratio_to_stock : float or None
        Of shots per second, to the faster of "stock" and "stock-sites" in the same run, if either was measured.
    peak_memory_gib : float or None
        Allocated on the device at most.
    """

    shots: int
    micro_batches: int
    bases: str
    seed: int
    shots_per_second: float
    shots_per_core_second: float | None
    step_ms: float
    forward_ms: float
    backward_ms: float
    optimizer_ms: float
    data_ms: float
    operations_per_shot: float
    utilisation: float
    bytes_per_shot: float
    copy_share: float
    matrix_rate: float
    copy_rate: float
    ratio_to_stock: float | None
    peak_memory_gib: float | None


def with_shots(recipe: Recipe, shots: int | None) -> Recipe:
    """The recipe with one micro-batch of so many shots of each basis a step, or as it is."""
    if shots is None:
        return recipe
    return recipe.model_copy(update={"batch": recipe.batch.model_copy(update={"shots": shots, "micro_batches": 1})})


def training_speeds(
    recipe: Recipe,
    *,
    variants: Sequence[str],
    device: torch.device,
    dtype: torch.dtype,
    rates: DeviceRates,
    seconds: float,
    workers: int = 1,
    profile: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[TrainingRow]:
    """Measure variants of a recipe's step on the same stream of shots.

    On a CPU they take turns; on a GPU each has the device's memory for itself, one after the other.

    Parameters
    ----------
    recipe : Recipe
    variants : sequence of str
        See `Contender`.
    device, dtype
        Where, and of the activations.
    rates : DeviceRates
        Measured on the same device in the same precision.
    seconds : float
        To time each variant for, after warming up; at least one step for each turn.
    workers : int
        Background processes that sample shots.
    profile : Path, optional
        Folder for a profile of the step, stock PyTorch's excepted.
    report : callable
        Told what is being done.

    Raises
    ------
    CascadeError
        If the device lacks a variant, or memory for the smallest batch.
    """
    check_variants(variants, device)
    turns = _TURNS_ON_CPU if device.type == "cpu" else 1
    contenders: dict[str, Contender] = {}
    clocks = {variant: _Clock() for variant in variants}
    rows = []
    with pipeline(recipe, device, workers) as batches:
        at_hand = next(batches)
        for turn in range(turns):
            for variant in variants:
                if variant not in contenders:
                    report(f"{recipe.name}, {variant}: warming up")
                    contenders[variant] = Contender(variant, recipe, at_hand, device=device, dtype=dtype)
                report(f"{recipe.name}, {variant}: turn {turn + 1} of {turns}")
                clocks[variant].run(contenders[variant], batches, at_hand, seconds / turns)
                if turn < turns - 1:
                    continue
                contender = contenders.pop(variant)
                rows.append(_row(contender, clocks[variant], rates))
                if profile is not None and variant not in STOCK:
                    profile_steps(contender, at_hand, profile / f"{recipe.name}_{variant}")
                contender.release()
    stock = max((row.shots_per_second for row in rows if row.variant in STOCK), default=None)
    if stock is None:
        return rows
    return [row.model_copy(update={"ratio_to_stock": row.shots_per_second / stock}) for row in rows]


class _Clock:
    """Steps and seconds of one variant over all its turns."""

    def __init__(self) -> None:
        self._steps, self._seconds, self._waited, self._at_hand = 0, 0.0, 0.0, 0.0
        self._core_seconds, self._on_gpu = 0.0, False

    def run(self, contender: Contender, batches: Iterator[Batch], at_hand: Batch, seconds: float) -> None:
        """Take a turn of about so many seconds."""
        self._on_gpu = contender.device.type == "cuda"
        if self._on_gpu:
            steps, took = _run(contender, repeat(at_hand), seconds / 4)
            self._at_hand = took / steps
        waiting, before = _Waiting(batches), time.process_time()
        steps, took = _run(contender, waiting, seconds)
        self._steps += steps
        self._seconds += took
        self._core_seconds += time.process_time() - before
        self._waited += waiting.seconds

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return self._seconds / self._steps

    @property
    def core_seconds(self) -> float | None:
        """Seconds of a step on the cores of a CPU."""
        return None if self._on_gpu else self._core_seconds / self._steps

    @property
    def data(self) -> float:
        """Seconds of a step that go into waiting for its shots."""
        # On a GPU the host is ahead of the device, and its waiting holds up nothing.
        return max(0.0, self.step - self._at_hand) if self._on_gpu else self._waited / self._steps


class _Waiting(Iterator[Batch]):
    """An iterator that knows how long it was waited for."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches, self.seconds = batches, 0.0

    def __next__(self) -> Batch:
        start = time.perf_counter()
        batch = next(self._batches)
        self.seconds += time.perf_counter() - start
        return batch


def _run(contender: Contender, batches: Iterator[Batch], seconds: float) -> tuple[int, float]:
    """Steps taken in about so many seconds, at least one, and the seconds they really took."""
    synchronize(contender.device)
    start, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - start < seconds:
        contender.step(batches)  # never more than a few steps ahead of the device
        steps += 1
    synchronize(contender.device)
    return steps, time.perf_counter() - start


def _row(contender: Contender, clock: _Clock, rates: DeviceRates) -> TrainingRow:
    recipe, device, parts = contender.recipe, contender.device, contender.parts
    least = floor(recipe, contender.dtype.itemsize)
    shots = contender.shots * contender.micro_batches * len(recipe.bases)
    speed = shots / clock.step
    on_gpu = device.type == "cuda"
    return TrainingRow(
        recipe=recipe.name,
        variant=contender.variant,
        device=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        precision=str(contender.dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        shots=contender.shots,
        micro_batches=contender.micro_batches,
        bases="".join(recipe.bases),
        seed=recipe.seed,
        shots_per_second=speed,
        shots_per_core_second=clock.core_seconds and shots / clock.core_seconds,
        step_ms=1000 * clock.step,
        forward_ms=1000 * parts.forward,
        backward_ms=1000 * parts.backward,
        optimizer_ms=1000 * parts.update,
        data_ms=1000 * clock.data,
        operations_per_shot=least.operations,
        utilisation=least.operations * speed / rates.matrix,
        bytes_per_shot=least.bytes,
        copy_share=least.bytes * speed / rates.copy,
        matrix_rate=rates.matrix,
        copy_rate=rates.copy,
        peak_memory_gib=torch.cuda.max_memory_allocated(device) / 2**30 if on_gpu else None,
        ratio_to_stock=None,  # of all rows together
        **circumstances(),
    )
