"""The training loop, top to bottom."""

from __future__ import annotations

import copy
import hashlib
import math
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from pydantic import ValidationError

from cascade_qec import codes, kernels
from cascade_qec.device import pick_device
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.files import written_whole
from cascade_qec.guards import ALIVE
from cascade_qec.model import Calibration, model_bytes
from cascade_qec.nn import CascadeNetwork, Faults, LocalHead, deepened, load_network, network_of, state_of
from cascade_qec.training import distributed
from cascade_qec.training.data import Producers, default_workers
from cascade_qec.training.feed import Examples, feed
from cascade_qec.training.progress import Progress, first_names
from cascade_qec.training.recipe import Recipe
from cascade_qec.training.run_files import (
    METRICS,
    RECORD,
    Metrics,
    check_new,
    load_checkpoint,
    record_session,
    run_lock,
    save_checkpoint,
)
from cascade_qec.training.step import Step
from cascade_qec.training.validation import Validator, measure_statistics


class Trainer:
    """Trains one recipe into one folder.

    The folder gets

    * `run.json`: the recipe, and machine, versions, settings and commit of each session;
    * `metrics.jsonl`: a line for every logged step and every validation;
    * `checkpoint.pt`: everything to go on from, after each validation and at every stop;
    * `<name>.safetensors`: averaged weights with their statistics, along with each checkpoint.

    On a CPU a resumed run equals an uninterrupted one bit for bit, given the same threads and precision.

    Parameters
    ----------
    resume : bool
        Go on from the folder's checkpoint; without it an existing checkpoint is refused.
    start_from : Path, optional
        A model file whose weights a new run begins with: of the same code family and network settings, such as
        a smaller distance of the same ladder. It may have fewer blocks, see `cascade_qec.nn.deepened`.
    dtype : torch.dtype
        Of the activations; weights, averages and optimizer state are float32.
    workers : int, optional
        Background processes that sample shots, by default as many as the device needs; the shots do not depend on
        their number.

    Raises
    ------
    CascadeError
        If the folder has a checkpoint, or other files that the run would replace and no run made, and `resume` is not
        asked for; if it is, and there is none, a damaged
        one or that of another recipe; if the weights to start from do not fit, or are asked for along with
        `resume`; or if the micro-batches cannot be divided among the processes.

    Warns
    -----
    CascadeWarning
        If it goes on in another precision than that of the checkpoint.
    """

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        *,
        resume: bool = False,
        start_from: Path | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        workers: int | None = None,
    ) -> None:
        self.recipe, self.out, self.dtype = recipe, out, dtype
        self.workers = default_workers(device) if workers is None else workers
        self.device = pick_device(device)
        self.micros = distributed.share_of(recipe.batch.micro_batches)
        if out.exists() and not out.is_dir():
            raise CascadeError(f"expected a folder for the run, found the file {out}")
        self.checkpoint = out / "checkpoint.pt"
        self.metrics = Metrics(out / "metrics.jsonl")
        if self.checkpoint.exists() and not resume:
            raise CascadeError(f"{self.checkpoint} exists: resume it with --resume, or choose another --out")
        if not resume:
            check_new(out, (RECORD, METRICS, f"{recipe.name}.safetensors"))
        if resume and not self.checkpoint.exists():
            raise CascadeError(f"nothing to resume: {self.checkpoint} does not exist")
        if resume and start_from is not None:
            raise CascadeError(f"{self.checkpoint} has weights already: --resume and --start_from exclude each other")
        torch.manual_seed(recipe.seed)
        self.network = network_of(recipe.description()).to(self.device)
        self.examples = Examples(recipe, self.device)
        if isinstance(self.examples.questions, Faults) and isinstance(self.network.head, LocalHead):
            self.network.head.begin(self.examples.questions.priors)
        self.start_from = start_from
        if start_from is not None:
            self.network.load_state_dict(_weights_for(self.network, recipe, start_from))
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.validator = Validator(
            recipe.description(), device=self.device, dtype=dtype, batch=recipe.batch.shots, seed=recipe.seed
        )
        self.take_step = Step(
            self.network,
            self.average,
            self.examples.geometry,
            self.examples.questions,
            recipe,
            device=self.device,
            dtype=dtype,
            micros=self.micros,
        )
        self.step, self.seconds = 0, 0.0
        self._stop_asked = False
        if resume:
            self._load(load_checkpoint(self.checkpoint))

    def run(self, *, minutes: float | None = None) -> bool:
        """Train to the last step, or until the minutes are used, a SIGTERM or Ctrl-C comes.

        Either way the folder then has a checkpoint and a model of the step reached. A second Ctrl-C
        interrupts at once.

        Returns
        -------
        bool
            Whether the recipe is complete.

        Raises
        ------
        CascadeError
            If a loss or a weight is not finite (the last checkpoint stays), or another process trains in the folder.
        """
        with run_lock(self.out) if distributed.is_main() else nullcontext():
            return self._run(minutes)

    def _run(self, minutes: float | None) -> bool:
        started, before, last = time.monotonic(), self.seconds, self.recipe.optimizer.steps
        if distributed.is_main():
            self.out.mkdir(parents=True, exist_ok=True)
            self._record_session()
            self.metrics.forget_after(self.step)
        stop = False
        with (
            self._stop_on_signals(),
            Producers(self.recipe, range(self.step, last), self.micros, self.workers) as producers,
            Progress(self.recipe, self.step, main=distributed.is_main()) as progress,
        ):
            if distributed.is_main() and self._validation_due and not self.metrics.has_validation(self.step):
                self._save(self._validate(progress))  # which the run was killed in
            batches = feed(producers, self.examples)
            while self.step < last and not stop:
                losses = self.take_step(batches, self.step)
                self.step += 1
                self.seconds = before + time.monotonic() - started
                progress.step(self.step, losses)
                time_is_up = minutes is not None and time.monotonic() - started > 60 * minutes
                # all processes leave the loop after the same step, or one would wait for the others for ever
                stop = distributed.any_process(self._stop_asked or time_is_up)
                validate = self._validation_due
                if progress.log_due or validate or stop:
                    self._check_and_log(progress)
                if distributed.is_main() and (validate or stop):
                    measure_statistics(self.average, self.examples, self.recipe, self.step, self.dtype)
                    self._save(None)  # first, as a validation takes long
                    if validate:
                        self._save(self._validate(progress))
        return self.step >= last

    def _check_and_log(self, progress: Progress) -> None:
        losses, names = progress.mean_losses(), self.examples.questions.names
        bad = [name for name, first in zip(names, progress.not_finite(), strict=True) if first]
        if bad:
            raise CascadeError(f"the loss of {first_names(bad)} is not finite, seen at step {self.step}")
        highest, worst = max(zip(losses, names, strict=True))
        dead = sum(loss > ALIVE * math.log(2) for loss in losses) if self._has_settled else 0
        row = {"step": self.step, "shots": self.shots, "seconds": round(self.seconds, 3)}
        # of bicycle codes there are thousands of operators: a row has their mean and the worst of them
        row |= {"loss": sum(losses) / len(losses), "highest": highest, "worst": worst, "dead": dead}
        row = progress.logged(row)
        if distributed.is_main():
            self.metrics.append(row)

    def _validate(self, progress: Progress) -> Calibration | None:
        """Write down what the averaged weights are worth, and give what their log-odds are."""
        found = self.validator(self.average, self.recipe.validation.p, self.recipe.validation.shots)
        errors = {str(p): counts.failures / counts.shots for p, counts in found.pooled.items()}
        by_basis = {str(p): {b: n / found.shots for b, n in by.items()} for p, by in found.failures.items()}
        broken = found.guards.broken if self._has_settled else []
        row = {"step": self.step, "shots": self.shots, "block_error": errors, "by_basis": by_basis}
        if self.recipe.mixture.rounds:
            row["by_rounds"] = {
                str(p): {rounds: n / (len(self.recipe.bases) * found.shots) for rounds, n in by.items()}
                for p, by in found.by_rounds.items()
            }
        row["validation_shots"] = len(self.recipe.bases) * found.shots
        row |= {"guards": found.guards.model_dump(), "broken": [verdict.guard for verdict in broken]}
        self.metrics.append(row)
        progress.validated(self.step, errors, broken)
        return found.calibration

    @property
    def _validation_due(self) -> bool:
        """Whether the step reached is one whose weights are validated."""
        return self.step > 0 and (
            self.step % self.recipe.validation.every == 0 or self.step == self.recipe.optimizer.steps
        )

    @property
    def _has_settled(self) -> bool:
        """Whether ramp and warm-up are over: before, a network may break guards without anything being wrong."""
        return self.step > self.recipe.noise.ramp_end + self.recipe.optimizer.warmup_steps

    def _save(self, calibration: Calibration | None) -> None:
        """Write model and checkpoint, unless the last update spoilt the weights."""
        bad = [name for name, p in self.network.named_parameters() if not torch.isfinite(p).all()]
        if bad:
            raise CascadeError(f"the weights {', '.join(bad)} are not finite at step {self.step}")
        with written_whole(self.out / f"{self.recipe.name}.safetensors") as file:
            description = self.recipe.description().model_copy(update={"calibration": calibration})
            file.write(model_bytes(state_of(self.average), description))
        save_checkpoint(self.checkpoint, self._state())

    @property
    def _precision(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def shots(self) -> int:
        """Shots seen so far."""
        return self.step * self.recipe.shots_per_step

    def _record_session(self) -> None:
        settings = {
            "device": str(self.device),
            "precision": self._precision,
            "kernels": kernels.backend(self.device),
            "threads": torch.get_num_threads(),
            "processes": distributed.processes(),
            "workers": self.workers,
        }
        if self.start_from is not None:
            digest = hashlib.sha256(self.start_from.read_bytes()).hexdigest()
            settings["start_from"] = {"file": self.start_from.name, "sha256": digest}
        record_session(self.out / "run.json", self.recipe, self.step, settings)

    def _state(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.model_dump_json(),
            "step": self.step,
            "seconds": self.seconds,
            "precision": self._precision,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": self.take_step.optimizers.state_dict(),
        }

    def _load(self, state: dict[str, Any]) -> None:
        try:
            differences = self.recipe.differences(Recipe.model_validate_json(state["recipe"]))
        except ValidationError as error:
            raise CascadeError(f"the recipe in {self.checkpoint} cannot be read: {error}") from error
        if differences:
            raise CascadeError(f"{self.checkpoint} was made by another recipe: {', '.join(differences)}")
        if (before := state.get("precision", self._precision)) != self._precision:  # files of old do not say it
            said = f"goes on in {self._precision}, and not as the run would have gone on in {before}"
            warnings.warn(f"{self.checkpoint} {said}: --precision {before} does that", CascadeWarning, stacklevel=3)
        self.step, self.seconds = state["step"], state["seconds"]
        try:
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.take_step.optimizers.load_state_dict(state["optimizers"])
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            raise CascadeError(f"{self.checkpoint} does not fit the recipe's network: {error}") from error

    @contextmanager
    def _stop_on_signals(self) -> Iterator[None]:
        def stop(signum: int, frame: FrameType | None) -> None:
            self._stop_asked = True
            if signum == signal.SIGINT:
                signal.signal(signal.SIGINT, signal.default_int_handler)

        # a process that was started to ignore a signal (a script's background job, say) goes on ignoring it
        heeded = [s for s in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(s) is not signal.SIG_IGN]
        previous = [signal.signal(signum, stop) for signum in heeded]
        try:
            yield
        finally:
            for signum, handler in zip(heeded, previous, strict=True):
                signal.signal(signum, handler)


def _weights_for(network: CascadeNetwork, recipe: Recipe, path: Path) -> dict[str, torch.Tensor]:
    """Weights of a model file, which fit any code of its family and a network of its settings, or a deeper one.

    Of a model with another head it is the trunk alone.
    """
    trained, description = load_network(path)
    families = [codes.get(name).family for name in (recipe.code, description.code)]
    shallower = description.network.depth <= recipe.network.depth
    free = {name: getattr(recipe.network, name) for name in ("depth", "segment_rounds")}
    same = description.network.model_copy(update=free) == recipe.network
    if families[0] != families[1] or not (shallower and same):
        raise CascadeError(
            f"expected weights for a {families[0]} code with {recipe.network!r}, or a smaller depth, to start "
            f"{recipe.name} from, got those of {description.code} with {description.network!r} in {path}"
        )
    state, wanted, own = deepened(network, trained), recipe.description(), network.state_dict()
    if description.told != wanted.told:
        state.pop("trunk.told", None)
        state |= {name: own[name] for name in ("trunk.told",) if name in own}
    if (description.head, description.components) != (wanted.head, wanted.components):
        state = {name: state[name] if name.startswith("trunk.") else own[name] for name in own}
    return state
