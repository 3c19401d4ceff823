"""Checkpoints: whole or not at all, and refused when they are anything else."""

import pytest
import torch

from cascade_qec.errors import CascadeError
from cascade_qec.training.run_files import load_checkpoint, save_checkpoint

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


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"step": "12"}, "step in it"),
        ({"recipe": 3, "average": []}, "recipe, average in it"),
        ({"optimizers": 3}, "optimizers in it"),
    ],
)
def test_contents_of_another_kind(change, told, checkpoint):
    torch.save(STATE | change, checkpoint)
    with pytest.raises(CascadeError, match=f"is no checkpoint of a run: expected {told}"):
        load_checkpoint(checkpoint)


def test_code_in_a_file_is_not_run(checkpoint):
    torch.save({**STATE, "network": print}, checkpoint)
    with pytest.raises(CascadeError, match="is no checkpoint of a run"):
        load_checkpoint(checkpoint)


def test_missing(tmp_path):
    with pytest.raises(CascadeError, match=r"cannot read checkpoint .*none\.pt: No such file"):
        load_checkpoint(tmp_path / "none.pt")
