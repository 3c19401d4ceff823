"""Collections: complete, resumable, in agreement with sinter's, and none the worse for dead workers."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
from collections import deque

import numpy as np
import pytest
import sinter

from cascade_qec.decoders import DecodeResult
from cascade_qec.decoders.sinter import SinterDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.collector import collect
from cascade_qec.evaluation.collection.plan import Cell, cells, make_plan
from cascade_qec.evaluation.collection.store import CollectionStore, read_store
from cascade_qec.evaluation.collection.tasks import Machine, sinter_task
from cascade_qec.evaluation.collection.workers import Died, Failed, Joined, LocalPool, Sampling

MACHINE = Machine("cpu", "float32")


def _cells(**changes):
    table = {"codes": ["surface_d3"], "p": [0.01], "decoders": ["pymatching"], "bases": ["Z"]} | changes
    plan = make_plan({"max_shots": 20_000, "max_errors": None, "experiments": [table]}, "test")
    return cells(plan, skipped=lambda reason: None)


class Inline:
    """Workers in this process, one piece after another; now and then one dies."""

    def __init__(self, workers=2, *, deaths=(), shrinks=False):
        self.workers = workers
        self.shrinks = shrinks
        self.pieces = []
        self._deaths = set(deaths)
        self._outcomes = 0
        self._queue = deque()
        self._joining = list(range(workers))
        self._sampling = [Sampling() for _ in range(workers)]

    def submit(self, worker, piece):
        assert worker not in {waiting for waiting, _ in self._queue}
        self.pieces.append(piece)
        self._queue.append((worker, piece))

    def outcomes(self):
        joined = [(worker, Joined()) for worker in self._joining]
        self._joining.clear()
        if joined:
            return joined
        worker, piece = self._queue.popleft()
        outcome = self._sampling[worker].run(piece)
        self._outcomes += 1
        if self._outcomes not in self._deaths:
            return [(worker, outcome)]
        if not self.shrinks:
            self._joining.append(worker)
        return [(worker, Died("by chance"))]


def _collect(tasks, path, pool, **options):
    reports = []
    with CollectionStore(path) as store:
        effort = collect(tasks, store=store, pool=pool, machine=MACHINE, report=reports.append, **options)
    return effort, reports


def test_every_task_gets_its_shots_and_no_more(tmp_path):
    tasks = _cells(p=[0.005, 0.01], bases=["Z", "X"])
    effort, reports = _collect(tasks, tmp_path / "c.csv", Inline(3))
    rows = read_store(tmp_path / "c.csv")
    assert [stats.shots for stats in rows] == [20_000] * 4
    assert effort.shots == 80_000
    assert 0 < effort.sampling_seconds < effort.worker_seconds
    finished = {report.cell: report.total.shots for report in reports if report.finished}
    assert finished == dict.fromkeys(tasks, 20_000)


def test_resumes_where_it_was(tmp_path):
    tasks = _cells(max_shots=500)
    _collect(tasks, tmp_path / "c.csv", Inline())
    pool = Inline()
    effort, reports = _collect(_cells(max_shots=2000), tmp_path / "c.csv", pool)
    assert effort.shots == 1500
    assert sum(stats.shots for stats in read_store(tmp_path / "c.csv")) == 2000
    again = Inline()
    effort, reports = _collect(_cells(max_shots=2000), tmp_path / "c.csv", again)
    assert not again.pieces
    assert [(report.finished, report.total.shots) for report in reports] == [(True, 2000)]


def test_stops_at_enough_errors(tmp_path):
    (task,) = _cells(p=[0.03], max_errors=50, max_shots=10**9)
    effort, (*_, last) = _collect([task], tmp_path / "c.csv", Inline())
    assert last.finished
    assert last.total.errors >= 50
    # About one shot in five fails, so the first thousands are enough; batches grow sixteenfold.
    assert effort.shots < 20_000


@pytest.mark.parametrize("deaths", [{1}, {2, 3}, {1, 2, 4}])
def test_no_shot_is_lost_or_counted_twice_when_workers_die(tmp_path, deaths):
    pool = Inline(deaths=deaths)
    effort, _ = _collect(_cells(), tmp_path / "c.csv", pool)
    assert effort.shots == 20_000
    assert effort.deaths == len(deaths)
    assert [stats.shots for stats in read_store(tmp_path / "c.csv")] == [20_000]


def test_workers_that_nothing_replaces_are_done_without(tmp_path):
    effort, _ = _collect(_cells(), tmp_path / "c.csv", Inline(3, deaths={1, 2}, shrinks=True))
    assert (effort.shots, effort.deaths) == (20_000, 2)
    assert [stats.shots for stats in read_store(tmp_path / "c.csv")] == [20_000]


def test_a_task_that_kills_every_worker_is_given_up(tmp_path):
    with pytest.raises(CascadeError, match="workers died 4 times, the last one by chance; is there enough memory"):
        _collect(_cells(), tmp_path / "c.csv", Inline(deaths=range(100)))


def test_failures_reach_the_caller(tmp_path, monkeypatch):
    monkeypatch.setattr(Sampling, "run", lambda self, piece: Failed("Traceback: boom", refused=False))
    with pytest.raises(RuntimeError, match=r"surface_d3 p=0.01 .* failed in a worker:\nTraceback: boom"):
        _collect(_cells(), tmp_path / "c.csv", Inline())
    monkeypatch.setattr(Sampling, "run", lambda self, piece: Failed("wrong", refused=True))
    with pytest.raises(CascadeError, match=r"^wrong$"):
        _collect(_cells(), tmp_path / "c.csv", Inline())


def test_other_weights_than_asked_for_are_refused(tmp_path):
    pool = Inline(1)
    (task,) = _cells()
    _collect([task], tmp_path / "c.csv", pool)
    outcome = Sampling().run(dataclasses.replace(pool.pieces[0], strong_id="another"))
    assert isinstance(outcome, Failed)
    assert "same versions" in outcome.message


@pytest.mark.slow
def test_processes_and_one_that_is_killed(tmp_path):
    (task,) = _cells(max_shots=60_000)
    killed = []
    with CollectionStore(tmp_path / "c.csv") as store, LocalPool(2) as pool:

        def kill_once(progress):
            if not killed:
                killed.append(multiprocessing.active_children()[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        effort = collect([task], store=store, pool=pool, machine=MACHINE, report=kill_once)
        alive = [worker.pid for worker in multiprocessing.active_children()]
    assert (effort.shots, effort.deaths) == (60_000, 1)
    assert sum(stats.shots for stats in read_store(tmp_path / "c.csv")) == 60_000
    for pid in alive:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.slow
def test_agrees_with_sinters_own_collection(tmp_path):
    (task,) = _cells(max_shots=6000)
    _collect([task], tmp_path / "ours.csv", Inline())
    sinters = sinter_task(task, MACHINE)
    sinter.collect(
        num_workers=1,
        tasks=[sinters],
        save_resume_filepath=tmp_path / "theirs.csv",
        custom_decoders={"pymatching": SinterDecoder(MACHINE.decoder("pymatching"))},
    )
    (ours,) = read_store(tmp_path / "ours.csv")
    (theirs,) = read_store(tmp_path / "theirs.csv")
    assert ours.strong_id == theirs.strong_id == sinters.strong_id()
    assert ours.json_metadata == theirs.json_metadata
    assert ours.shots == theirs.shots == 6000
    # Unseeded, as both are in use. Some 7 % of the shots fail; with equal rates the counts differ by 5 standard
    # deviations with probability 6e-7.
    rate = (ours.errors + theirs.errors) / 12_000
    assert abs(ours.errors - theirs.errors) < 5 * (2 * 6000 * rate * (1 - rate)) ** 0.5
    # And each goes on with the other's file: both find that it is complete.
    effort, _ = _collect([task], tmp_path / "theirs.csv", Inline())
    assert effort.shots == 0
    (stats,) = sinter.collect(num_workers=1, tasks=[sinters], existing_data_filepaths=[tmp_path / "ours.csv"])
    assert stats == ours


class Silent:
    """Never predicts a flip: a decoder as a user may write one."""

    name = "silent"

    def bind(self, experiment):
        return self

    def decode_batch(self, detection_events, *, bit_packed=False):
        return DecodeResult(np.zeros((len(detection_events), 1), np.bool_))


@pytest.mark.slow
def test_a_decoder_of_ones_own_is_collected(tmp_path):
    cell = Cell("surface_d3", 0.01, 3, "Z", "uniform", "mine", max_shots=3000, max_errors=None)
    with CollectionStore(tmp_path / "c.csv") as store:
        collect([cell], store=store, pool=Inline(), machine=Machine(own={"mine": Silent()}))
    (stats,) = read_store(tmp_path / "c.csv")
    assert (stats.decoder, stats.shots, stats.json_metadata["parameters"]) == ("mine", 3000, {})
    # Without decoding, the errors are the flipped observables: about one shot in five at this p.
    assert 450 < stats.errors < 900


@pytest.mark.slow
def test_workers_do_not_load_torch_for_classical_decoders():
    script = "import sys, cascade_qec.evaluation.collection.workers; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
