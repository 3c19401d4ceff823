"""Checkpoints: whole or not at all, and refused when they are anything else."""

import json
import shutil
import signal

import pytest
import torch

from cascade_qec.errors import CascadeError
from cascade_qec.training import Trainer
from cascade_qec.training.checkpoint import (
    check_compact_size,
    load_checkpoint,
    save_checkpoint,
    save_compact_checkpoint,
)

STATE = {
    "recipe": "{}",
    "step": 12,
    "seconds": 1.5,
    "network": {"weight": torch.arange(2000.0)},
    "average": {},
    "optimizers": [],
}


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, STATE)
    return path


def test_round_trip(checkpoint):
    found = load_checkpoint(checkpoint)
    assert torch.equal(found.pop("network")["weight"], STATE["network"]["weight"])
    assert found == {key: value for key, value in STATE.items() if key != "network"}


def test_a_failed_write_leaves_the_last_checkpoint_and_nothing_else(checkpoint, monkeypatch):
    before = checkpoint.read_bytes()

    def interrupted(state, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(checkpoint, STATE | {"step": 13})
    assert checkpoint.read_bytes() == before
    assert [file.name for file in checkpoint.parent.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_truncated(share, checkpoint):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CascadeError, match=r"checkpoint\.pt is no checkpoint of a run, or a truncated one"):
        load_checkpoint(checkpoint)


def test_one_damaged_byte(checkpoint):
    content = bytearray(checkpoint.read_bytes())
    content[content.index(STATE["network"]["weight"].numpy().tobytes()) + 100] ^= 1
    checkpoint.write_bytes(content)
    with pytest.raises(CascadeError, match=r"checkpoint\.pt is damaged: the checksum of .*data/0 does not match"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("content", [b"checkpoint", b"PK\x03\x04", bytes(range(256)) * 50])
def test_garbage(content, checkpoint):
    checkpoint.write_bytes(content)
    with pytest.raises(CascadeError, match="is no checkpoint of a run"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("state", [torch.ones(3), {"weights": torch.ones(3)}, {**STATE, "step": None} | {"x": 1}])
def test_files_of_torch_that_are_no_checkpoints(state, checkpoint):
    if isinstance(state, dict):
        state.pop("step", None)
    torch.save(state, checkpoint)
    with pytest.raises(CascadeError, match=r"is no checkpoint of a run: expected .*step.* in it"):
        load_checkpoint(checkpoint)


def test_code_in_a_file_is_not_run(checkpoint):
    torch.save({**STATE, "network": print}, checkpoint)
    with pytest.raises(CascadeError, match="is no checkpoint of a run"):
        load_checkpoint(checkpoint)


def test_missing(tmp_path):
    with pytest.raises(CascadeError, match=r"cannot read checkpoint .*none\.pt: No such file"):
        load_checkpoint(tmp_path / "none.pt")


@pytest.fixture
def half(tiny, tmp_path):
    """A run stopped half way, and its recipe."""
    recipe = tiny(optimizer={"steps": 40}, validation={"every": 10})
    out = tmp_path / "half"
    stopped = Trainer(recipe, out, workers=0)
    take_step = stopped.take_step

    def step_and_stop(batches, number):
        if number == 19:
            signal.raise_signal(signal.SIGTERM)
        return take_step(batches, number)

    stopped.take_step = step_and_stop
    stopped.take_step.optimizers = take_step.optimizers
    stopped.run()
    return recipe, out


class TestCompact:
    def losses(self, recipe, out, **how):
        Trainer(recipe, out, workers=0, **how).run()
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        return {row["step"]: row["loss"] for row in rows if "loss" in row}

    def test_momenta_are_bfloat16_in_the_file_and_all_else_is_exact(self, half, tmp_path):
        exact = load_checkpoint(half[1] / "checkpoint.pt")
        assert exact["step"] == 20
        save_compact_checkpoint(tmp_path / "compact.pt", exact)
        raw, found = torch.load(tmp_path / "compact.pt"), load_checkpoint(tmp_path / "compact.pt")
        for part in ("network", "average"):
            assert all(torch.equal(found[part][name], tensor) for name, tensor in exact[part].items())
        assert {key: found[key] for key in ("recipe", "step", "seconds")} == {
            key: exact[key] for key in ("recipe", "step", "seconds")
        }
        for wanted, kept, written in zip(exact["optimizers"], found["optimizers"], raw["optimizers"], strict=True):
            assert kept["param_groups"] == wanted["param_groups"]
            for index, state in wanted["state"].items():
                for name, tensor in state.items():
                    assert written["state"][index][name].dtype == torch.bfloat16
                    assert kept["state"][index][name].dtype == tensor.dtype == torch.float32
                    torch.testing.assert_close(kept["state"][index][name], tensor, rtol=2**-8, atol=0)
        assert (tmp_path / "compact.pt").stat().st_size < (half[1] / "checkpoint.pt").stat().st_size

    def test_going_on_from_it_loses_nothing(self, half, tmp_path):
        recipe, out = half
        for name in ("exact", "compact"):
            shutil.copytree(out, tmp_path / name)
        save_compact_checkpoint(tmp_path / "compact" / "checkpoint.pt", load_checkpoint(out / "checkpoint.pt"))
        exact, compact = (self.losses(recipe, tmp_path / name, resume=True) for name in ("exact", "compact"))
        assert exact.keys() == compact.keys() >= {20, 30, 40}
        for step, loss in exact.items():  # 200 steps of surface_d3: 0.106490 instead of 0.106494
            assert compact[step] == pytest.approx(loss, rel=2e-3)

    def test_too_large_a_file_is_refused_and_leaves_the_last_one(self, tmp_path, monkeypatch):
        path = tmp_path / "checkpoint.pt"
        save_compact_checkpoint(path, STATE)
        before = path.read_bytes()
        with pytest.raises(CascadeError, match=r"compact checkpoint of at most 16 MiB, got one of 17\.\d MiB"):
            save_compact_checkpoint(path, STATE | {"network": {"weight": torch.zeros(17 * 2**18)}})
        assert path.read_bytes() == before
        assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]

    def test_too_large_a_network_is_refused_beforehand(self, tmp_path):
        check_compact_size(tmp_path / "checkpoint.pt", 1_122_049)  # bb144
        with pytest.raises(CascadeError, match=r"at most 16 MiB, got one of 42\.7 MiB"):
            check_compact_size(tmp_path / "checkpoint.pt", 4_472_321)  # bb144_large
