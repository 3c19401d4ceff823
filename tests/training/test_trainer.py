"""The trainer in one process: what it writes, refuses and reports, and that a resumed run is the same run."""

import json
import math
import signal

import pytest
import torch

import cascade_qec
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.guards import Guards
from cascade_qec.kernels.cpu import keep_pages
from cascade_qec.training import Recipe, Trainer, distributed, progress
from cascade_qec.training.feed import Examples
from cascade_qec.training.run_files import load_checkpoint, save_checkpoint
from cascade_qec.training.step import Step


@pytest.fixture(autouse=True)
def _log_by_steps_alone(monkeypatch):
    """Without a clock rows are written at validations and stops only, so that their number is known."""
    monkeypatch.setattr(progress, "_LOG_SECONDS", math.inf)


def trainer(recipe, out, *, resume=False):
    return Trainer(recipe, out, resume=resume, workers=0)


def rows(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def after_steps(monkeypatch, steps, act):
    """Call `act` with the `Step` at the end of each of these steps."""
    take_step = Step.__call__

    def step_and_act(self, batches, number):
        losses = take_step(self, batches, number)
        if number + 1 in steps:
            act(self)
        return losses

    monkeypatch.setattr(Step, "__call__", step_and_act)


def kill_validation(monkeypatch, number):
    """Run out of memory in a trainer's validation of this number, the first being 1."""
    validate, calls = Trainer._validate, []

    def out_of_memory(self, progress):
        calls.append(self.step)
        if len(calls) == number:
            raise MemoryError
        return validate(self, progress)

    monkeypatch.setattr(Trainer, "_validate", out_of_memory)


def assert_same_weights(one, other):
    """Bit for bit, also averages and optimizer state."""
    found, expected = (load_checkpoint(out / "checkpoint.pt") for out in (one, other))
    assert found["step"] == expected["step"]
    for part in ("network", "average"):
        assert found[part].keys() == expected[part].keys()
        for name, tensor in expected[part].items():
            assert torch.equal(found[part][name], tensor), f"{part} {name}"
    for state, state_expected in zip(found["optimizers"], expected["optimizers"], strict=True):
        assert state["param_groups"] == state_expected["param_groups"]
        for number, tensors in state_expected["state"].items():
            for name, value in tensors.items():
                assert torch.equal(torch.as_tensor(state["state"][number][name]), torch.as_tensor(value)), name
    (model,) = one.glob("*.safetensors")
    assert model.read_bytes() == (other / model.name).read_bytes()


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    recipe = tiny(optimizer={"steps": 60}, batch={"shots": 32}, validation={"every": 20})
    out = tmp_path_factory.mktemp("runs") / "new" / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "_LOG_SECONDS", math.inf)
        assert trainer(recipe, out).run() is True
    return recipe, out


class TestCompleteRun:
    def test_loss_falls_and_the_folder_has_all_files(self, run):
        recipe, out = run
        names = {"checkpoint.pt", "lock", "metrics.jsonl", "run.json", "tiny.safetensors"}
        assert {path.name for path in out.iterdir()} == names
        logged = [row for row in rows(out) if "loss" in row]
        validated = [row for row in rows(out) if "block_error" in row]
        assert [row["step"] for row in logged] == [row["step"] for row in validated] == [20, 40, 60]
        assert logged[0]["loss"] < math.log(2)
        assert logged[2]["loss"] < 0.8 * logged[0]["loss"]
        assert logged[2]["highest"] > logged[2]["loss"]
        assert logged[2]["worst"] in ("Z0", "Z1", "Z2", "X0", "X1", "X2")
        assert logged[2]["dead"] == 0
        assert logged[2]["shots"] == 60 * 32 * 2
        assert logged[2]["seconds"] > logged[0]["seconds"] > 0
        assert validated[0]["validation_shots"] == 2 * 32
        assert validated[0]["block_error"].keys() == {"0.003", "0.005"}
        assert all(0 <= error <= 1 for row in validated for error in row["block_error"].values())
        for row in validated:
            for p, error in row["block_error"].items():
                assert row["by_basis"][p].keys() == {"Z", "X"}
                assert sum(row["by_basis"][p].values()) / 2 == pytest.approx(error)
            guards = Guards.model_validate(row["guards"])
            assert (guards.p, guards.heads.keys()) == (0.005, {"Z", "X"})
            assert row["broken"] == [verdict.guard for verdict in guards.broken]
        record = json.loads((out / "run.json").read_text())
        assert Recipe.model_validate(record["recipe"]) == recipe
        assert (record["sessions"][0]["device"], record["sessions"][0]["precision"]) == ("cpu", "float32")

    def test_the_model_decodes(self, run):
        recipe, out = run
        decoder = cascade_qec.load(out / "tiny.safetensors", device="cpu", precision="float32")
        description = decoder.description
        assert (description.name, description.code, description.bases) == ("tiny", "surface_d3", ["Z", "X"])
        assert (description.rounds, description.noise_p) == (recipe.rounds, recipe.noise.p)
        for basis in recipe.bases:
            circuit = decoder.experiment(0.002, basis=basis)
            events, flips = circuit.compile_detector_sampler(seed=5).sample(200, separate_observables=True)
            result = decoder.bind(circuit).decode_batch(events)
            assert result.observables.shape == flips.shape

    def test_resuming_a_complete_run_changes_nothing(self, run):
        recipe, out = run
        before = {path.name: path.read_bytes() for path in out.iterdir() if path.name != "run.json"}
        assert trainer(recipe, out, resume=True).run() is True
        assert {path.name: path.read_bytes() for path in out.iterdir() if path.name != "run.json"} == before


class TestRefusals:
    def test_an_existing_checkpoint_without_resume(self, tiny, tmp_path):
        (tmp_path / "checkpoint.pt").touch()
        with pytest.raises(CascadeError, match=r"checkpoint\.pt exists: resume it with --resume"):
            trainer(tiny(), tmp_path)

    def test_nothing_to_resume(self, tiny, tmp_path):
        with pytest.raises(CascadeError, match=r"nothing to resume: .*checkpoint\.pt does not exist"):
            trainer(tiny(), tmp_path / "none", resume=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_file_in_place_of_the_folder(self, tiny, tmp_path):
        (tmp_path / "run").touch()
        with pytest.raises(CascadeError, match="expected a folder for the run, found the file"):
            trainer(tiny(), tmp_path / "run")

    def test_another_recipe(self, tiny, tmp_path):
        assert trainer(tiny(optimizer={"steps": 2}), tmp_path).run()
        message = r"was made by another recipe: seed = 7 instead of 8, optimizer\.steps = 2 instead of 30"
        with pytest.raises(CascadeError, match=message):
            trainer(tiny(seed=8), tmp_path, resume=True)

    def test_another_precision_is_said(self, tiny, tmp_path):
        recipe = tiny(optimizer={"steps": 1})
        assert trainer(recipe, tmp_path).run()
        with pytest.warns(CascadeWarning, match=r"goes on in bfloat16, .* in float32: --precision float32 does that"):
            Trainer(recipe, tmp_path, resume=True, workers=0, dtype=torch.bfloat16)

    @pytest.mark.parametrize("recipe", ["", "{}", '{"name": "tiny", "depth": 3}'])
    def test_a_checkpoint_whose_recipe_cannot_be_read(self, recipe, tiny, tmp_path):
        parts = {"step": 1, "seconds": 0.0, "network": {}, "average": {}, "optimizers": []}
        save_checkpoint(tmp_path / "checkpoint.pt", {"recipe": recipe, **parts})
        with pytest.raises(CascadeError, match=r"the recipe in .*checkpoint\.pt cannot be read"):
            trainer(tiny(), tmp_path, resume=True)

    def test_micro_batches_that_the_processes_cannot_share(self, tiny, tmp_path, monkeypatch):
        monkeypatch.setattr(distributed.dist, "is_initialized", lambda: True)
        monkeypatch.setattr(distributed.dist, "get_world_size", lambda: 2)
        message = "expected batch.micro_batches to be a multiple of 2, the number of processes, got 3"
        with pytest.raises(CascadeError, match=message):
            trainer(tiny(batch={"micro_batches": 3}), tmp_path / "run")
        assert list(tmp_path.iterdir()) == []

    def test_the_command_exits_with_2(self, tiny_file, tmp_path, capsys):
        arguments = [
            "train",
            str(tiny_file()),
            "--out",
            str(tmp_path / "run"),
            "--workers",
            "0",
            "--threads",
            "1",
        ]
        assert main([*arguments, "--resume"]) == 2
        assert main([*arguments, "--device", "tpu"]) == 2
        assert main([*arguments, "--precision", "int8"]) == 2
        assert main([*arguments, "--minutes", "0"]) == 2
        told = capsys.readouterr().err
        for part in ("nothing to resume", "got 'tpu'", "got 'int8'", "--minutes"):
            assert part in told
        assert not (tmp_path / "run").exists()


class TestStopping:
    @pytest.fixture(autouse=True)
    def _signals_are_heeded(self):
        """Also where the tests run as a shell's background job, which is born to ignore SIGINT."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    def test_minutes(self, tiny, tmp_path, capsys):
        recipe = tiny(optimizer={"steps": 10**9}, validation={"every": 10**9})
        stopped = trainer(recipe, tmp_path)
        assert stopped.run(minutes=0.01) is False
        assert 0 < stopped.step == load_checkpoint(tmp_path / "checkpoint.pt")["step"]
        assert [row["step"] for row in rows(tmp_path)] == [stopped.step]
        # what was trained so far can be decoded with
        assert cascade_qec.load(tmp_path / "tiny.safetensors").code.name == "surface_d3"

    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_stops_after_its_step_and_the_rest_is_the_same_run(
        self, signum, tiny_file, tmp_path, monkeypatch, capsys
    ):
        arguments = ["train", str(tiny_file()), "--workers", "0", "--threads", "1", "--precision", "float32"]
        straight, stopped = tmp_path / "straight", tmp_path / "stopped"
        assert main([*arguments, "--out", str(straight)]) == 0
        handler = signal.getsignal(signum)
        with monkeypatch.context() as patch:
            after_steps(patch, {17}, lambda self: signal.raise_signal(signum))
            assert main([*arguments, "--out", str(stopped)]) == 0
        assert "tiny: 17 of 30 steps" in capsys.readouterr().out
        assert signal.getsignal(signum) == handler
        assert load_checkpoint(stopped / "checkpoint.pt")["step"] == 17
        assert main([*arguments, "--out", str(stopped), "--resume"]) == 0
        assert f"tiny: 30 of 30 steps in {stopped}, complete" in capsys.readouterr().out
        assert_same_weights(stopped, straight)
        assert [row["step"] for row in rows(stopped) if "loss" in row] == [10, 17, 20, 30]
        errors = [[row for row in rows(out) if "block_error" in row] for out in (straight, stopped)]
        assert errors[0] == errors[1]
        sessions = json.loads((stopped / "run.json").read_text())["sessions"]
        assert [session["from_step"] for session in sessions] == [0, 17]

    def test_a_second_interrupt_does_not_wait_for_the_step(self, tiny_file, tmp_path, monkeypatch, capsys):
        def twice(self):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

        after_steps(monkeypatch, {17}, twice)
        arguments = ["--workers", "0", "--threads", "1", "--out", str(tmp_path / "run")]
        assert main(["train", str(tiny_file()), *arguments]) == 130
        said = f"Interrupted: a checkpoint in {tmp_path / 'run'} stays as it was; --resume goes on from there"
        assert said in capsys.readouterr().err
        assert load_checkpoint(tmp_path / "run" / "checkpoint.pt")["step"] == 10
        assert not list((tmp_path / "run").glob(".*"))

    def test_a_process_told_to_ignore_interrupts_goes_on(self, tiny, tmp_path, monkeypatch):
        after_steps(monkeypatch, {3}, lambda self: signal.raise_signal(signal.SIGINT))
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            assert trainer(tiny(optimizer={"steps": 5}), tmp_path).run() is True
        finally:
            signal.signal(signal.SIGINT, before)

    def test_a_run_that_is_killed_while_it_validates_goes_on_with_that(self, tiny, tmp_path, monkeypatch):
        straight, killed = tmp_path / "straight", tmp_path / "killed"
        trainer(tiny(), straight).run()
        for resume, failing in ((False, 3), (True, 1)):  # in the last validation, and once more
            with monkeypatch.context() as patch:
                kill_validation(patch, failing)
                with pytest.raises(MemoryError):
                    trainer(tiny(), killed, resume=resume).run()
        assert load_checkpoint(killed / "checkpoint.pt")["step"] == 30
        trainer(tiny(), killed, resume=True).run()
        assert (killed / "tiny.safetensors").read_bytes() == (straight / "tiny.safetensors").read_bytes()
        errors = [[row for row in rows(out) if "block_error" in row] for out in (straight, killed)]
        assert errors[0] == errors[1]

    def test_rows_beyond_the_checkpoint_are_written_once(self, tiny, tmp_path, monkeypatch):
        class Killed(BaseException):
            """As sudden as a kill."""

        def kill(self):
            raise Killed

        recipe = tiny(validation={"every": 10})
        monkeypatch.setattr(progress, "_LOG_SECONDS", -1)  # a row for every step
        with monkeypatch.context() as patch:
            after_steps(patch, {15}, kill)
            with pytest.raises(Killed):
                trainer(recipe, tmp_path).run()
        assert [row["step"] for row in rows(tmp_path)][-1] == 14
        assert trainer(recipe, tmp_path, resume=True).run()
        assert [row["step"] for row in rows(tmp_path) if "loss" in row] == list(range(1, 31))
        assert [row["step"] for row in rows(tmp_path) if "block_error" in row] == [10, 20, 30]


class TestReports:
    def labels(self, monkeypatch, change):
        unpack = Examples.__call__

        def changed(self, packed):
            states, labels = unpack(self, packed)
            change(labels)
            return states, labels

        monkeypatch.setattr(Examples, "__call__", changed)

    def test_a_loss_that_is_not_finite(self, tiny, tmp_path, monkeypatch):
        self.labels(monkeypatch, lambda labels: labels[:, 1].fill_(math.nan))
        with pytest.raises(CascadeError, match="the loss of Z1 is not finite, seen at step 10"):
            trainer(tiny(), tmp_path).run()
        assert {path.name for path in tmp_path.iterdir()} == {"run.json", "lock"}

    def test_weights_that_are_not_finite_do_not_replace_the_last_checkpoint(self, tiny, tmp_path, monkeypatch):
        def spoil(self):
            self.network.head.hidden_bias.data[0] = math.nan

        after_steps(monkeypatch, {20}, spoil)
        with pytest.raises(CascadeError, match=r"the weights head\.hidden_bias are not finite at step 20"):
            trainer(tiny(), tmp_path).run()
        assert load_checkpoint(tmp_path / "checkpoint.pt")["step"] == 10

    def test_all_losses_of_broken_weights(self, tiny, tmp_path):
        broken = trainer(tiny(), tmp_path)
        broken.network.head.output_bias.data.fill_(math.inf)
        with pytest.raises(CascadeError, match="the loss of Z0, Z1, Z2, X0 and 2 more is not finite"):
            broken.run()

    def test_a_head_at_ln_2_after_the_ramp(self, tiny, tmp_path, monkeypatch, capsys):
        generator = torch.Generator().manual_seed(1)
        coin = torch.full((32,), 0.5)
        self.labels(monkeypatch, lambda labels: labels[:, 1].copy_(torch.bernoulli(coin, generator=generator)))
        recipe = tiny(
            optimizer={"steps": 60, "lion_lr": 5e-4},
            batch={"shots": 32},
            noise={"hold_steps": 2, "ramp_steps": 20},
        )
        trainer(recipe, tmp_path).run()
        dead = {row["step"]: row["dead"] for row in rows(tmp_path) if "dead" in row}
        assert dead[10] == dead[20] == 0  # too early to tell
        assert dead[40] == dead[60] == 1
        validated = {row["step"]: row for row in rows(tmp_path) if "broken" in row}
        assert validated[10]["broken"] == validated[20]["broken"] == []
        assert "heads" in validated[40]["broken"]
        assert validated[60]["guards"]["heads"]["Z"]["operator"] == "Z1"
        told = capsys.readouterr().out
        assert "heads at ln 2: 1, worst Z1 at 0." in told
        assert "tiny step 60  guard does not hold: heads: worst Z1 0." in told
        assert "step 20  guard" not in told


def test_the_allocator_keeps_memory_for_the_next_step(tiny, tmp_path):
    keep_pages.cache_clear()
    trainer(tiny(), tmp_path / "run")
    assert keep_pages.cache_info().currsize == 1


def test_a_run_can_start_from_the_weights_of_a_smaller_distance(tiny, tmp_path):
    first = trainer(tiny(), tmp_path / "first")
    first.run()
    model = tmp_path / "first" / "tiny.safetensors"
    larger = tiny(name="larger", code="surface_d5", rounds=2, optimizer={"steps": 2})
    second = Trainer(larger, tmp_path / "second", start_from=model, workers=0)
    for name, value in first.average.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value), name
        assert torch.equal(second.average.state_dict()[name], value), name
    second.run()
    (session,) = json.loads((tmp_path / "second" / "run.json").read_text())["sessions"]
    assert session["start_from"]["file"] == "tiny.safetensors"
    assert len(session["start_from"]["sha256"]) == 64


def test_weights_that_do_not_fit_are_refused(tiny, tmp_path):
    trainer(tiny(network={"depth": 2}), tmp_path / "first").run()
    model = tmp_path / "first" / "tiny.safetensors"
    deeper, shallower = tiny(name="deeper", network={"depth": 3}), tiny(name="shallower", network={"depth": 1})
    assert len(Trainer(deeper, tmp_path / "second", start_from=model, workers=0).network.trunk.blocks) == 3
    with pytest.raises(CascadeError, match=r"or a smaller depth, to start shallower from"):
        Trainer(shallower, tmp_path / "second", start_from=model, workers=0)
    wider = tiny(name="wider", network={"width": 16})
    with pytest.raises(CascadeError, match=r"expected weights for a surface code with .*width=16.*got .*width=8"):
        Trainer(wider, tmp_path / "second", start_from=model, workers=0)
    with pytest.raises(CascadeError, match="--resume and --start_from exclude each other"):
        Trainer(tiny(network={"depth": 2}), tmp_path / "first", resume=True, start_from=model, workers=0)


def test_a_checkpoint_of_another_network_is_refused(tiny, tmp_path):
    trainer(tiny(), tmp_path).run()
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    del state["network"]["trunk.embedding"]
    save_checkpoint(tmp_path / "checkpoint.pt", state)
    with pytest.raises(CascadeError, match=r"checkpoint\.pt does not fit the recipe's network"):
        trainer(tiny(), tmp_path, resume=True)
