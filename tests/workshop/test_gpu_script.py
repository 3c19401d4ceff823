"""What `benchmarks/gpu.sh` asks for is there to be asked for; nothing of it runs but the script."""

import importlib
import json
import os
import re
import subprocess
import sys

import click
import pytest
import typer

from cascade_qec import cli
from workshop import CHECKOUT, app

SCRIPT = CHECKOUT / "benchmarks/gpu.sh"

STAND_IN = """#!{python}
import json, pathlib, sys
with open({calls!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "-c":
    compile(sys.argv[2], "script", "exec")
    pathlib.Path(sys.argv[3]).touch()
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The arguments of each call of Python."""
    folder = tmp_path_factory.mktemp("gpu")
    python, listed = folder / "python", folder / "calls"
    python.write_text(STAND_IN.format(python=sys.executable, calls=str(listed)))
    python.chmod(0o755)
    done = subprocess.run(
        [SCRIPT, folder / "out"], env=os.environ | {"PYTHON": str(python)}, capture_output=True, text=True
    )
    assert "FAILED" not in done.stdout, done.stdout
    return [json.loads(line) for line in listed.read_text().splitlines()]


def test_its_tests_are_there(calls):
    paths = [argument for call in calls if call[1] == "pytest" for argument in call if argument.startswith("tests")]
    assert "tests/kernels" in paths
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []


def test_its_commands_parse(calls, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    parsed = 0
    for module, *arguments in [call[1:] for call in calls if call[0] == "-m" and call[1] != "pytest"]:
        if module.startswith("workshop.studies"):
            monkeypatch.setattr(sys, "argv", [module, *arguments])
            importlib.import_module(module)._arguments()
        else:
            _parse({"cascade_qec": cli.app, "workshop": app.app}[module], arguments)
        parsed += 1
    assert parsed >= 8


def _parse(of: typer.Typer, arguments: list[str]) -> None:
    """Look up a command and give it its arguments, as a call of it does first; a wrong one raises."""
    command, context = typer.main.get_command(of), None
    while isinstance(command, click.Group):
        context = command.make_context(command.name, list(arguments), parent=context)
        _, command, arguments = command.resolve_command(context, [*context.protected_args, *context.args])
        assert command is not None
    command.make_context(command.name, list(arguments), parent=context)


def test_it_takes_ten_minutes_at_most():
    text = SCRIPT.read_text()
    once = [int(seconds) for seconds in re.findall(r"^(?:part|latency|training) \S+ (\d+)\b", text, flags=re.MULTILINE)]
    for_each_of_two = [
        int(seconds) for seconds in re.findall(r'^  part "loss_\$precision" (\d+)', text, flags=re.MULTILINE)
    ]
    assert sum(once) + 2 * sum(for_each_of_two) <= 600
