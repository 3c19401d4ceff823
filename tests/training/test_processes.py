"""Real processes: one that is killed and goes on, and two that share each step."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from cascade_qec.cli import main
from cascade_qec.nn import load_network
from cascade_qec.training.run_files import load_checkpoint

pytestmark = pytest.mark.slow

_PATIENCE = 300
"""Seconds after which a process counts as hanging."""

_KILLED_IN_STEP_4 = """
import multiprocessing, os, signal, sys
from cascade_qec.cli import main
from cascade_qec.training.step import Step

take_step = Step.__call__

def kill_or_take_step(self, batches, number):
    if number == 4:
        {kill}
    return take_step(self, batches, number)

Step.__call__ = kill_or_take_step
multiprocessing.set_executable({python!r})  # producers that belong to this process's group
sys.exit(main(sys.argv[1:]))
"""


_KILLS = {
    # to the whole group, producers too, as a terminal or a batch system does
    "os.killpg(0, signal.SIGTERM)": (0, "tiny: 5 of 9 steps in {out}, stopped, go on with --resume\n"),
    "os.kill(os.getpid(), signal.SIGKILL)": (-signal.SIGKILL, ""),
}
"""Exit status of a run that is killed so, and what it says last."""


@pytest.mark.filterwarnings("ignore:.*was killed; its place is taken")
def test_killed_runs_go_on_to_the_same_weights_bit_for_bit(tiny_file, programs, tmp_path):
    # batches so large that the producer still waits for its pipe to be read when the kill comes
    recipe = tiny_file(batch={"shots": 1024}, optimizer={"steps": 9}, validation={"every": 3})
    arguments = ["train", str(recipe), "--threads", "1", "--precision", "float32", "--device", "cpu"]
    straight = tmp_path / "straight"
    assert main([*arguments, "--out", str(straight), "--workers", "0"]) == 0
    expected = load_checkpoint(straight / "checkpoint.pt")
    for number, (kill, (status, told)) in enumerate(_KILLS.items()):
        killed = tmp_path / f"killed_{number}"
        # returns when every process that inherited the pipes has ended: the producers must not outlive the run
        script = [programs / "python", "-c", _KILLED_IN_STEP_4.format(kill=kill, python=sys.executable)]
        done = subprocess.run(
            [*script, *arguments, "--out", str(killed), "--workers", "1"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            start_new_session=True,
        )
        assert done.returncode == status, done.stderr
        assert done.stderr == ""
        assert done.stdout.endswith(told.format(out=killed))
        assert load_checkpoint(killed / "checkpoint.pt")["step"] == (5 if status == 0 else 3)
        assert not list(killed.glob(".*"))

        assert main([*arguments, "--out", str(killed), "--workers", "0", "--resume"]) == 0
        assert (killed / "tiny.safetensors").read_bytes() == (straight / "tiny.safetensors").read_bytes()
        found = load_checkpoint(killed / "checkpoint.pt")
        assert found["step"] == expected["step"] == 9
        for name, tensor in expected["network"].items():
            assert torch.equal(found["network"][name], tensor), name


def test_two_processes_take_the_steps_of_one(tiny_file, programs, tmp_path):
    changes = {"optimizer": {"steps": 4}, "batch": {"micro_batches": 2}, "validation": {"every": 2}}
    arguments = [
        "train",
        str(tiny_file(**changes)),
        "--threads",
        "1",
        "--precision",
        "float32",
        "--device",
        "cpu",
    ]
    one, two = tmp_path / "one", tmp_path / "two"
    torchrun = [programs / "python", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "cascade_qec", *arguments, "--out", str(two), "--workers", "0"],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        env=os.environ | {"PYTHON_EXEC": str(programs / "python")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("tiny: 4 of 4 steps") == 1  # one of them speaks
    assert main([*arguments, "--out", str(one), "--workers", "0"]) == 0

    losses, errors = {}, {}
    for out in (one, two):
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        losses[out] = {row["step"]: (row["loss"], row["highest"]) for row in rows if "loss" in row}
        errors[out] = [row for row in rows if "block_error" in row]
    assert losses[one].keys() >= {2, 4}
    for step in (2, 4):
        assert losses[two][step] == pytest.approx(losses[one][step], rel=1e-5)
    assert errors[two] == errors[one]
    weights = [load_network(out / "tiny.safetensors")[0].state_dict() for out in (one, two)]
    for name, expected in weights[0].items():
        torch.testing.assert_close(weights[1][name], expected, atol=1e-5, rtol=1e-4)
    assert json.loads((two / "run.json").read_text())["sessions"][0]["processes"] == 2
