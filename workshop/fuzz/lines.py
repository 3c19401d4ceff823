"""Random command lines from the tree of `cascade`'s commands: plausible values, and hostile ones."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from cascade_qec.cli import app
from workshop.fuzz.arena import ODD, SAMPLES
from workshop.fuzz.damage import NUMBERS, damaged

_HOSTILE = (0.0, 0.0, 0.05, 0.3)
"""Shares of values that are drawn from anything, of which a line has one: most must be sound to come far."""
_DAMAGED = 0.4
"""Share of input files that are damaged."""

OUTPUTS = ("out", "predictions_out", "probabilities_out", "confidence_out", "save_resume_filepath", "folder")
"""Parameters that name what a command writes."""

_LEFT_OUT = ("help", "version", "ray")  # Ray starts services that outlive the command

_INPUTS: Mapping[str, str] = {
    "circuit": "circuit",
    "dem": "dem",
    "shots_in": "shots",
    "obs_in": "truth",
    "recipe": "recipe",
    "plan": "plan",
    **dict.fromkeys(("tables", "table"), "table"),
    **dict.fromkeys(("model", "models", "name", "names", "start_from"), "model"),
}
"""Parameters that name files to read, and of which kind."""

_MODELS = (*("surface_d3",) * 6, "bb72", "surface_d33", "surface_d9", "hf:owner/name", "cascade:surface_d3")
_CLASSICAL = ("pymatching", "pymatching-filtered", "bposd", "relay", "tesseract", "pymaching", "chromobius")
_DRAWN_FROM: Mapping[str, tuple[str, ...]] = {
    "rates": ("counts.csv", "surface_d3.csv", "demo.csv", "fits.csv", "rare.csv"),
    "distance": ("counts.csv", "surface_d3.csv", "demo.csv"),
    "fit": ("counts.csv", "surface_d3.csv", "demo.csv"),
    "lambda": ("fits.csv",),
    "latency": ("latency_cpu.csv",),
    "post-selection": ("post_selection.csv",),
    "learning": ("metrics.jsonl",),
    **{name: (f"{name}.csv",) for name in ("reliability", "spectrum", "escalation")},
}
"""Tables that a figure, or a command, is made for."""

_PLAUSIBLE: Mapping[str, tuple[str, ...]] = {
    "code": ("surface_d3", "bb72", "surface_d4", "surface_d99999", "sruface_d3"),
    "codes": ("surface_d3", "surface_d3,bb72", "bb7", ","),
    "decoder": (*_CLASSICAL, "cascade", "cascade:surface_d3"),
    "decoders": ("pymatching", "cascade,pymatching", "cascade:m.safetensors@0.9", "cascade:surface_d3@2"),
    "fallback": _CLASSICAL,
    "rival": (*_CLASSICAL, "gap", "correlated-gap", "lsd"),
    "noise": ("uniform", "unifrom", "code_capacity", "si1000"),
    "p": ("0.003", "0.01", "0.5"),
    "rounds": ("1", "3", "d"),
    "bases": ("Z", "X", "Z,X", "pooled", "apart"),
    "basis": ("Z", "Z", "X", "X", "XZ"),
    "device": ("auto", "cpu", "cuda", "cuda:7", "mps"),
    "precision": ("auto", "float32", "bfloat16", "float16", "fp8", "int8", "float64"),
    "kernel_choice": ("auto", "triton", "reference"),
    **dict.fromkeys(("in_format", "out_format", "obs_in_format"), ("01", "b8", "r8", "hits", "dets", "ptb64", "npy")),
    "figure": (*_DRAWN_FROM, "circle"),
    "per": ("block", "cycle", "shot"),
    "of": ("shot", "observable", "flip"),
    "url": ("./", "https://example.org/models/", "file:///"),
    "title": ("a title", "$\\frac{$", "\n"),
    "field": ("p=noise", "code=surface_d3", "=", "p=p=p"),
    "seconds": ("0.1", "0.5", "1"),
    "minutes": ("0.01",),
    "shots": ("4", "100", "1000"),
    "max_shots": ("10", "100"),
    "max_errors": ("1", "10"),
    "processes": ("1", "2"),
    "workers": ("0", "1"),
    "threads": ("1", "2"),
    **dict.fromkeys(("below", "target", "at", "p_max", "false_alarm", "discard"), ("0.01", "0.5", "0.99", "1")),
    "max_batch_seconds": ("0.1", "1"),
}
"""Values that a parameter takes, or nearly."""

_NEW = (
    *("new.png",) * 4,
    "new.csv",
    "new.b8",
    "new.01",
    "new.npy",
    "new.pdf",
    "new",
    "deep/er/new.csv",
    "counts.csv",
    "out.x",
)
_TEXTS = ("", " ", "~", "--", "ü", "💥", "\udcff", "a" * 300, "%s%n", "a b", "a,b", "'", '"', "[red]", "\x1b[31m", "{}")


@dataclass
class Line:
    """A command line to try.

    Attributes
    ----------
    command
        Names of command and subcommand.
    arguments
        All words after `cascade`.
    outputs
        Paths that it names for writing.
    files
        Contents of files to make before, by name.
    """

    command: tuple[str, ...]
    arguments: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


@cache
def commands() -> list[tuple[tuple[str, ...], Any]]:
    """All commands of `cascade` that do something, with their names."""
    return list(_leaves((), get_command(app)))


def _leaves(names: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(command, TyperGroup):
        for name, sub in command.commands.items():
            yield from _leaves((*names, name), sub)
    else:
        yield names, command


def draw_line(draw: random.Random, here: Path) -> Line:
    """A random command line; `here` has the good files that its damaged ones are made of."""
    names, command = draw.choice(commands())
    line, hostile = Line(names), draw.choice(_HOSTILE)
    positional: list[str] = []
    few = min(0.5, 3 / (1 + len(command.params)))
    for parameter in command.params:
        name = parameter.name or ""
        if name in _LEFT_OUT or draw.random() > (0.97 if parameter.required else few):
            continue
        option = parameter.param_type_name == "option"
        several = parameter.multiple if option else parameter.nargs != 1
        for _ in range(draw.choice((1, 1, 2, 3)) if several else 1):
            if option:
                line.arguments.append(draw.choice(parameter.opts))
            if option and parameter.is_flag:
                continue
            anything = draw.random() < hostile and name not in OUTPUTS
            about = positional[0] if positional else names[-1]
            value = draw.choice((*NUMBERS, *_TEXTS, *ODD)) if anything else _value(name, about, line, draw, here)
            (line.arguments if option else positional).append(value)
            if name in OUTPUTS:
                line.outputs.append(value)
    if draw.random() < 0.03:
        positional.append(draw.choice(_TEXTS))
        line.outputs.append(positional[-1])  # in the place of a folder that was left out
    if draw.random() < 0.02:
        line.arguments.append("--no_such_option")
    line.arguments = [*names, *line.arguments, *positional]
    return line


def _value(name: str, about: str, line: Line, draw: random.Random, here: Path) -> str:
    if name in OUTPUTS:  # nothing outside the arena
        return draw.choice((*_NEW, *_NEW, *ODD, ".", "", "~", "a" * 300, "\udcff.csv", "c.stim", "m.safetensors"))
    if name in _INPUTS:
        likely = _DRAWN_FROM.get(about, ()) if name == "tables" else ()
        return _input(_INPUTS[name], likely, line, draw, here)
    if name in _PLAUSIBLE:
        return draw.choice(_PLAUSIBLE[name])
    return draw.choice(("1", "2", "20", "19"))


def _input(kind: str, likely: Sequence[str], line: Line, draw: random.Random, here: Path) -> str:
    """A file of that kind, or of another one, good or damaged; a model may be a name."""
    if kind == "model" and draw.random() < 0.4:
        return draw.choice(_MODELS)
    if draw.random() < 0.1:
        kind, likely = draw.choice(list(SAMPLES)), ()
    name = draw.choice(likely if likely and draw.random() < 0.9 else SAMPLES[kind])
    good = here / name
    if not good.is_file() or draw.random() > _DAMAGED:
        return name
    damaged_name = f"damaged_{len(line.files)}{good.suffix}"
    if kind != "model":
        line.files[damaged_name] = damaged(good.read_bytes(), draw)
        return damaged_name
    # weights or card, beside the other one as it should be
    weights, card = good.read_bytes(), good.with_suffix(".json").read_bytes()
    if draw.random() < 0.5:
        size = 8 + int.from_bytes(weights[:8], "little")  # the header is where most can go wrong
        weights = damaged(weights[:size], draw) + weights[size:] if draw.random() < 0.7 else damaged(weights, draw)
    else:
        card = damaged(card, draw)
    line.files[damaged_name] = weights
    line.files[Path(damaged_name).with_suffix(".json").name] = card
    return damaged_name
