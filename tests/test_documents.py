"""Every link in the documents leads somewhere, and every command in them is a command with those flags."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cascade_qec.cli import app
from workshop.app import app as workshop
from workshop.measuring.measurements import measurements
from workshop.site.sources import documents

ROOT = Path(__file__).parents[1]
PAGES = documents()
ENTRANCES = {"cascade": get_command(app), "python -m workshop": get_command(workshop)}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text())):
        if re.match(r"\w+:", target):
            continue  # elsewhere on the network
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (heading and heading not in _anchors(file)):
            lost.append(target)
    assert not lost


@each_page
def test_commands_are_those_of_the_command_line(page: Path) -> None:
    unknown = [line for line in _commands(page.read_text()) if not _known(line)]
    assert not unknown


def test_what_measures_the_results_is_a_command() -> None:
    parts = [part.strip() for each in measurements() for part in each.command.split("&&")]
    assert all(_known(part) for part in parts if part.startswith("cascade "))


def test_studies_are_in_the_workshop() -> None:
    named = {name for page in PAGES for name in re.findall(r"workshop\.studies\.(\w+)", page.read_text())} - {"NAME"}
    assert named
    assert named <= {path.stem for path in (ROOT / "workshop/studies").glob("*.py")}


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", _without_code(file.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands(text: str) -> Iterator[str]:
    """What follows `cascade` or `python -m workshop`, in blocks for a shell and within a line."""
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).replace("\\\n", " ")
    spans = re.findall(r"`([^`\n]+)`", _without_code(text))
    for line in [*shell.splitlines(), *spans]:
        for part in re.split(r"\||&&|;|> ", line):
            words = re.sub(r"^(\s*[A-Z_]+=\S+)*\s*", "", part)
            if re.match(r"(cascade|python -m workshop) [a-z]", words):
                yield words


def _known(line: str) -> bool:
    entrance = next(start for start in ENTRANCES if line.startswith(start + " "))
    command = ENTRANCES[entrance]
    words = shlex.split(line.removeprefix(entrance), comments=True)
    while isinstance(command, TyperGroup) and words:
        name = words.pop(0).replace("-", "_")
        found = {one.replace("-", "_"): command for one, command in command.commands.items()}
        if name not in found:
            return set(name.split("|")) <= set(found)  # `zoo list|pull|verify`
        command = found[name]
    flags = {flag.replace("-", "_") for one in command.params for flag in (*one.opts, *one.secondary_opts)}
    given = (word.split("=")[0].replace("-", "_") for word in words if re.match(r"--?[a-z]", word))
    return all(flag in flags | {"__help"} for flag in given)
