"""The folder that random command lines run in: good files of every kind that `cascade` reads, and odd things."""

import itertools
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

import stim

from cascade_qec import circuits, codes, zoo
from workshop import CHECKOUT, RESULTS

HERE, HOME, NEIGHBOUR = "here", "home", "neighbour"
"""In an arena: where commands run, what is `HOME` for them, and files that no command has to do with."""

SAMPLES: Mapping[str, tuple[str, ...]] = {
    "circuit": ("c.stim", "repeated.stim"),
    "dem": ("c.dem",),
    "shots": tuple(f"shots.{format}" for format in ("01", "b8", "r8", "hits", "dets", "ptb64")),
    "truth": ("truth.b8", "truth.01"),
    "model": ("m.safetensors", "folder"),
    "recipe": ("r.toml",),
    "plan": ("plan.toml",),
    "table": (
        *("counts.csv", "surface_d3.csv", "demo.csv", "fits.csv", "latency_cpu.csv", "escalation.csv", "spectrum.csv"),
        *("rare.csv", "reliability.csv", "post_selection.csv", "metrics.jsonl"),
    ),
}
"""Files of each kind by name, all good."""

ODD = ("null", "full", "zero", "link.txt", "nowhere", "loop", "notes.txt", "empty", "folder", "absent", "..", "-")
"""What else a path may lead to: devices, links, a stranger's file, nothing at all."""

_ROWS = 12
_RECIPE = """
name = "fuzzed"
code = "surface_d3"
rounds = 3
bases = ["Z", "X"]
seed = 1
network = { width = 8, depth = 1, convolution = "direct" }
noise = { model = "uniform", p = 0.006, start = 0.002, hold_steps = 1, ramp_steps = 2 }
optimizer = { steps = 4, muon_lr = 0.01, lion_lr = 0.001, warmup_steps = 1, ema = 0.9 }
batch = { shots = 8, micro_batches = 1 }
validation = { p = [0.003], shots = 16, every = 4, statistics_batches = 1 }
"""
_PLAN = """
max_shots = 100
max_errors = 10

[[experiments]]
codes = ["surface_d3"]
p = [0.01]
rounds = ["d"]
bases = ["Z"]
decoders = ["pymatching", "cascade:surface_d3"]
"""

Entry = tuple[int, int, int, str]


def make_arena(root: Path) -> None:
    """Fill a new folder `root` with the arena."""
    here, home, neighbour = (root / name for name in (HERE, HOME, NEIGHBOUR))
    for folder in (here, home, neighbour, here / "folder"):
        folder.mkdir(parents=True)
    for kind in ("notes.txt", "folder/notes.txt"):
        (here / kind).write_text("one\nline without an end")
    (neighbour / "precious.txt").write_text("precious\n")
    (here / "empty").touch()
    (here / "link.txt").symlink_to("../neighbour/precious.txt")
    (here / "nowhere").symlink_to("absent")
    (here / "loop").symlink_to("loop")
    for name, minor in (("null", 3), ("zero", 5), ("full", 7)):
        try:  # nodes of our own: those of the machine must not be put at risk
            os.mknod(here / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        except PermissionError:
            (here / name).symlink_to(f"/dev/{name}")
    _experiment(here)
    (here / "r.toml").write_text(_RECIPE)
    (here / "plan.toml").write_text(_PLAN)
    for path in (here / "m.safetensors", here / "folder/m.safetensors"):
        shutil.copyfile(zoo.path("surface_d3"), path)
        shutil.copyfile(zoo.path("surface_d3").with_suffix(".json"), path.with_suffix(".json"))
    tables = {name.rsplit("/")[-1]: RESULTS / name for name in ("rare/spectrum.csv", "rare/rare.csv")}
    tables |= {name: RESULTS / name for name in SAMPLES["table"] if (RESULTS / name).exists()}
    tables["counts.csv"] = RESULTS / "collections/surface_d3.csv"
    confidence = sorted(RESULTS.glob("confidence/**/*.csv"))
    tables |= {path.name: path for path in confidence if path.name in SAMPLES["table"]}
    tables["metrics.jsonl"] = next((CHECKOUT / "checkpoints").glob("surface_d3/**/metrics.jsonl"))
    for name, path in tables.items():
        with path.open() as lines:
            (here / name).write_text("".join(itertools.islice(lines, _ROWS)))


def _experiment(here: Path) -> None:
    circuit = circuits.memory(codes.get("surface_d3"), rounds=3, noise=circuits.UniformDepolarizing(0.005))
    circuit.to_file(here / "c.stim")
    noisy = {"after_clifford_depolarization": 0.005, "before_measure_flip_probability": 0.005}
    stim.Circuit.generated("surface_code:rotated_memory_x", distance=3, rounds=4, **noisy).to_file(
        here / "repeated.stim"
    )
    circuit.detector_error_model(decompose_errors=True).to_file(here / "c.dem")
    for format in ("01", "b8", "r8", "hits", "dets", "ptb64"):
        circuit.compile_detector_sampler(seed=1).sample_write(
            64, filepath=str(here / f"shots.{format}"), format=format, obs_out_filepath=str(here / "truth.b8"),
            obs_out_format="b8",
        )  # fmt: skip
    circuit.compile_detector_sampler(seed=1).sample_write(
        64, filepath=str(here / "shots.b8"), format="b8", obs_out_filepath=str(here / "truth.01"), obs_out_format="01"
    )


def seen(root: Path) -> dict[str, Entry]:
    """Everything in an arena, by path from `root`: mode, size and time of a file's last change, target of a link."""
    found: dict[str, Entry] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            about = os.lstat(path)
            name = os.path.relpath(path, root)
            if stat.S_ISDIR(about.st_mode):
                found[name] = about.st_mode, 0, 0, ""
            elif stat.S_ISLNK(about.st_mode):
                found[name] = about.st_mode, 0, 0, os.readlink(path)
            elif stat.S_ISCHR(about.st_mode):
                found[name] = about.st_mode, 0, about.st_rdev, ""  # writing into a device changes its times
            else:
                found[name] = about.st_mode, about.st_size, about.st_mtime_ns, ""
    return found


def copy_arena(template: Path, root: Path) -> None:
    """Put a fresh copy of an arena in the place of `root`, devices and links as they are."""
    shutil.rmtree(root, ignore_errors=True)
    for folder, folders, files in os.walk(template):
        into = root / os.path.relpath(folder, template)
        into.mkdir(exist_ok=True, parents=True)
        for name in (*folders, *files):
            path, copy = Path(folder, name), into / name
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                copy.symlink_to(path.readlink())
            elif stat.S_ISCHR(mode):
                os.mknod(copy, mode, path.lstat().st_rdev)
            elif stat.S_ISREG(mode):
                shutil.copy2(path, copy)  # with its times, by which changes are seen
