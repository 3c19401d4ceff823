"""Checkpoints: whole or not at all, and refused when they are anything else."""

import json
import shutil
import signal
from pathlib import Path

import pytest
import torch

from cascade_qec.errors import CascadeError
from cascade_qec.training import Trainer
from cascade_qec.training import checkpoint as checkpoint_module
from cascade_qec.training.checkpoint import load_checkpoint, save_checkpoint, save_compact_checkpoint

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
        ({"optimizers": [3]}, "states of optimizers in it"),
        ({"optimizers": [{}]}, "states of optimizers in it"),
        ({"optimizers": [{"state": {0: 3}}]}, "states of optimizers in it"),
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


class TestParts:
    @pytest.fixture
    def many(self, tmp_path, monkeypatch):
        """A checkpoint in parts: one in whole, and the last one shorter."""
        monkeypatch.setattr(checkpoint_module, "_MOST_BYTES", 3000)
        path = tmp_path / "many" / "checkpoint.pt"
        path.parent.mkdir()
        save_compact_checkpoint(path, STATE)
        return path

    @staticmethod
    def named(path):
        """The files of the parts, in their order."""
        digests = [part["sha256"] for part in json.loads(path.read_text())["parts"]]
        return [path.with_name(f"checkpoint-{digest[:16]}.bin") for digest in digests]

    def test_they_are_the_one_file_bit_for_bit(self, half, tmp_path, monkeypatch):
        state, one, many = load_checkpoint(half[1] / "checkpoint.pt"), tmp_path / "one.pt", tmp_path / "checkpoint.pt"
        save_compact_checkpoint(one, state)
        monkeypatch.setattr(checkpoint_module, "_MOST_BYTES", 5000)
        save_compact_checkpoint(many, state)
        parts = self.named(many)
        sizes = [part.stat().st_size for part in parts]
        assert len(sizes) > 2
        assert set(sizes[:-1]) == {5000}
        assert b"".join(part.read_bytes() for part in parts) == one.read_bytes()
        assert sorted(tmp_path.glob("checkpoint*")) == sorted([many, *parts])
        wanted, found = load_checkpoint(one), load_checkpoint(many)
        assert torch.equal(*(torch.cat([t.flatten() for t in s["average"].values()]) for s in (wanted, found)))
        assert found["step"] == wanted["step"] == 20

    def test_training_goes_on_from_them(self, half, tmp_path, monkeypatch):
        recipe, out = half
        save_compact_checkpoint(tmp_path / "one.pt", load_checkpoint(out / "checkpoint.pt"))
        monkeypatch.setattr(checkpoint_module, "_MOST_BYTES", 5000)
        save_compact_checkpoint(out / "checkpoint.pt", load_checkpoint(out / "checkpoint.pt"))
        assert len(list(out.glob("*.bin"))) > 2
        trainer = Trainer(recipe, out, resume=True, workers=0)
        wanted = load_checkpoint(tmp_path / "one.pt")["network"]
        assert all(torch.equal(trainer.network.state_dict()[name], tensor) for name, tensor in wanted.items())
        trainer.run()
        assert not list(out.glob("*.bin"))  # its own checkpoint is one file
        assert load_checkpoint(out / "checkpoint.pt")["step"] == 40

    def test_those_of_the_checkpoint_before_are_removed(self, many, monkeypatch):
        (many.parent / "checkpoint-notes.bin").touch()
        before = set(self.named(many))
        save_compact_checkpoint(many, STATE | {"network": {"weight": torch.arange(3000.0)}})
        assert set(many.parent.glob("checkpoint-[0-9a-f]*.bin")) == set(self.named(many))
        assert not before <= set(self.named(many))
        monkeypatch.setattr(checkpoint_module, "_MOST_BYTES", 2**20)
        save_compact_checkpoint(many, STATE)
        assert {file.name for file in many.parent.iterdir()} == {"checkpoint.pt", "checkpoint-notes.bin"}

    @pytest.mark.parametrize("files", [0, 1, 4, 5])
    def test_killed_in_between_the_last_checkpoint_stays(self, files, many, monkeypatch):
        """Killed so hard that nothing is tidied up, after so many files of the new checkpoint were written."""
        written, left = checkpoint_module.written_whole, files

        def until_killed(path):
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            return written(path)

        changed = STATE | {"step": 13, "network": {"weight": torch.arange(2500.0)}}
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint_module, "written_whole", until_killed)
            patch.setattr(Path, "unlink", lambda *_, **__: until_killed(None))
            with pytest.raises(KeyboardInterrupt):
                save_compact_checkpoint(many, changed)
        assert load_checkpoint(many)["step"] == (13 if files == 5 else 12)
        save_compact_checkpoint(many, changed)
        assert load_checkpoint(many)["step"] == 13
        assert set(many.parent.iterdir()) == {many, *self.named(many)}

    def test_a_missing_one(self, many):
        part = self.named(many)[1]
        part.unlink()
        with pytest.raises(CascadeError, match=rf"expected its part {part.name} beside it, found no such file"):
            load_checkpoint(many)

    @pytest.mark.parametrize("content", [b"", b"x", 3000 * b"x"])
    def test_a_damaged_one(self, content, many):
        part = self.named(many)[1]
        part.write_bytes(content)
        told = rf"is damaged: expected 3,000 bytes .* in its part {part.name}, got [\d,]+ bytes of other contents"
        with pytest.raises(CascadeError, match=told):
            load_checkpoint(many)

    def test_mixed_ones(self, many):
        first, second = self.named(many)[:2]
        content = first.read_bytes()
        second.replace(first)
        second.write_bytes(content)
        with pytest.raises(CascadeError, match=rf"is damaged: .* in its part {first.name}"):
            load_checkpoint(many)

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
    def test_a_truncated_index(self, share, many):
        whole = many.read_bytes()
        many.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(CascadeError, match=r"checkpoint\.pt is no checkpoint of a run, or a truncated one"):
            load_checkpoint(many)

    @pytest.mark.parametrize("text", ["{}", '{"parts": []}', '{"parts": [{"bytes": 1, "sha256": "../../secret"}]}'])
    def test_no_index(self, text, many):
        many.write_text(text)
        with pytest.raises(CascadeError, match="is no checkpoint of a run, or a truncated one: no index of parts"):
            load_checkpoint(many)
