"""The training loop, top to bottom."""

from __future__ import annotations

import copy
import json
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.nn import CascadeNetwork, Geometry, ModelDescription, model_bytes
from cascade_qec.training import distributed
from cascade_qec.training.checkpoint import load_checkpoint, save_checkpoint, write_atomically
from cascade_qec.training.data import Producers
from cascade_qec.training.optimizers import Optimizers
from cascade_qec.training.progress import Progress
from cascade_qec.training.recipe import Recipe
from cascade_qec.training.validation import block_errors, measure_statistics

_DEAD_HEAD = 0.98
"""A head whose loss stays above this share of ln 2 after the ramp has learnt nothing."""


class Trainer:
    """Trains one recipe into one folder.

    The folder gets `checkpoint.pt` (resumable), `<name>.safetensors` (averaged weights with their statistics),
    `metrics.jsonl` (a line per logged step and per validation) and `recipe.json`.

    Parameters
    ----------
    recipe : Recipe
    out : Path
    resume : bool
        Go on from the folder's checkpoint; without it an existing checkpoint is refused.
    device : str
    dtype : torch.dtype
        Of the activations; weights, averages and optimizer state are float32.
    workers : int
        Background processes that sample shots.
    """

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        *,
        resume: bool = False,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        workers: int = 1,
    ) -> None:
        self.recipe, self.out, self.dtype, self.workers = recipe, out, dtype, workers
        self.device = torch.device(device)
        self.checkpoint = out / "checkpoint.pt"
        if self.checkpoint.exists() and not resume:
            raise CascadeError(f"{self.checkpoint} exists: resume it with --resume, or choose another --out")
        if resume and not self.checkpoint.exists():
            raise CascadeError(f"nothing to resume: {self.checkpoint} does not exist")
        code = codes.get(recipe.code)
        torch.manual_seed(recipe.seed)
        self.network = CascadeNetwork(code, recipe.network).to(self.device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        lattices = [memory_lattice(code, recipe.rounds, basis) for basis in recipe.bases]
        self.geometry = Geometry(lattices, recipe.network.convolution).to(self.device)
        self.optimizers = Optimizers(self.network, recipe.optimizer)
        self.step, self.seconds = 0, 0.0
        self._stop = False
        if resume:
            self._load(load_checkpoint(self.checkpoint))

    def run(self, *, minutes: float | None = None) -> bool:
        """Train to the last step, a SIGTERM, or until the minutes are used; returns whether the recipe is complete."""
        recipe = self.recipe
        self.out.mkdir(parents=True, exist_ok=True)
        started, before = time.monotonic(), self.seconds
        micros = distributed.share_of(recipe.batch.micro_batches)
        producers = Producers(recipe, range(self.step, recipe.optimizer.steps), micros, self.workers)
        batches = iter(producers)
        with Progress(recipe, self.step, main=distributed.is_main()) as progress, self._stop_on_sigterm():
            try:
                while self.step < recipe.optimizer.steps and not self._stop:
                    losses = self._train_step(batches, len(micros))
                    self.step += 1
                    self.seconds = before + time.monotonic() - started
                    progress.step(self.step, losses)
                    if progress.log_due:
                        self._check_and_log(progress)
                    self._stop = distributed.any_process(
                        self._stop or (minutes is not None and time.monotonic() - started > 60 * minutes)
                    )
                    if self.step % recipe.validation.every == 0 or self.step == recipe.optimizer.steps:
                        self._validate(progress)
            finally:
                producers.close()
            if self._stop and distributed.is_main():
                save_checkpoint(self.checkpoint, self._state())
        return self.step >= recipe.optimizer.steps

    def _train_step(self, batches: Iterator[tuple[torch.Tensor, torch.Tensor]], micros: int) -> torch.Tensor:
        """One optimizer step; returns the mean loss of each observable."""
        settings = self.recipe.optimizer
        self.network.train()
        losses = torch.zeros(self.geometry.observables, device=self.device)
        for _ in range(micros):
            states, labels = next(batches)
            logits = self.network(states.to(self.device), self.geometry, self.dtype)
            each = F.binary_cross_entropy_with_logits(logits, labels.to(self.device), reduction="none").mean(dim=0)
            (each.mean() / self.recipe.batch.micro_batches).backward()
            losses += each.detach() / self.recipe.batch.micro_batches
        parameters = list(self.network.parameters())
        distributed.sum_over_processes([p.grad for p in parameters if p.grad is not None] + [losses])
        torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
        self.optimizers.step(self.step)
        # early on the average follows quickly, or it would drag the initial weights along
        decay = min(settings.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.parameters()), parameters, 1 - decay)
        return losses

    def _check_and_log(self, progress: Progress) -> None:
        losses = progress.mean_losses()
        if not all(map(math.isfinite, losses)):
            bad = [name for name, loss in zip(self._observables(), losses, strict=True) if not math.isfinite(loss)]
            raise CascadeError(f"the loss of {', '.join(bad)} is not finite at step {self.step}")
        dead = []
        if self.step > self.recipe.noise.ramp_end + self.recipe.optimizer.warmup_steps:
            heads = zip(self._observables(), losses, strict=True)
            dead = [name for name, loss in heads if loss > _DEAD_HEAD * math.log(2)]
        row = {"step": self.step, "shots": self._shots(), "seconds": round(self.seconds, 3)}
        row |= {"loss": sum(losses) / len(losses), "losses": losses, "dead": dead}
        self._log(progress.logged(row))

    def _validate(self, progress: Progress) -> None:
        if not distributed.is_main():
            return
        measure_statistics(self.average, self.geometry, self.recipe, self.step, self.dtype)
        rows = block_errors(self.average, self.geometry, self.recipe, self.dtype)
        errors = {str(p): row["failures"] / row["shots"] for p, row in rows.items()}
        shots = next(iter(rows.values()))["shots"]
        self._log({"step": self.step, "shots": self._shots(), "block_error": errors, "validation_shots": shots})
        progress.validated(self.step, errors)
        model = model_bytes(self.average, self.description())
        write_atomically(self.out / f"{self.recipe.name}.safetensors", lambda file: file.write(model))
        save_checkpoint(self.checkpoint, self._state())

    def description(self) -> ModelDescription:
        recipe = self.recipe
        return ModelDescription(
            name=recipe.name,
            code=recipe.code,
            rounds=recipe.rounds,
            bases=list(recipe.bases),
            noise_model=recipe.noise.model,
            noise_p=recipe.noise.p,
            network=recipe.network,
        )

    def _shots(self) -> int:
        return self.step * self.recipe.shots_per_step

    def _observables(self) -> list[str]:
        k = codes.get(self.recipe.code).k
        return [f"{basis}{index}" for basis in self.recipe.bases for index in range(k)]

    def _log(self, row: dict[str, Any]) -> None:
        if distributed.is_main():
            with (self.out / "metrics.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")

    def _state(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.model_dump_json(),
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": self.optimizers.state_dict(),
        }

    def _load(self, state: dict[str, Any]) -> None:
        found = Recipe.model_validate_json(state["recipe"])
        if found != self.recipe:
            ours, theirs = self.recipe.model_dump(), found.model_dump()
            differing = sorted(key for key in ours if ours[key] != theirs[key])
            raise CascadeError(f"{self.checkpoint} was made by another recipe: {', '.join(differing)} differ")
        self.step, self.seconds = state["step"], state["seconds"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizers.load_state_dict(state["optimizers"])

    @contextmanager
    def _stop_on_sigterm(self) -> Iterator[None]:
        def stop(*_: object) -> None:
            self._stop = True

        previous = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous)
