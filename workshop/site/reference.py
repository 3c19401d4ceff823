"""Pages of what is public: a page for each package with an ``__all__``, and the commands' help."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from typer.main import get_command

from cascade_qec.cli import app
from workshop import CHECKOUT

SOURCE = CHECKOUT / "src"
_WIDTH = 96


def doors() -> list[str]:
    """Packages whose ``__init__`` says in ``__all__`` what is public, the shortest names first."""
    files = [path for path in SOURCE.rglob("__init__.py") if "\n__all__ = " in path.read_text()]
    names = (".".join(path.parent.relative_to(SOURCE).parts) for path in files)
    return sorted(names, key=lambda name: (name.count("."), not name.startswith("cascade_qec"), name))


def api_pages() -> Iterator[tuple[str, str]]:
    """Pages in reStructuredText, as (name, text), the index first.

    What several packages offer is described in the one with the shortest name; the others link there.
    """
    homes: dict[int, str] = {}
    pages = [(door, _page(door, homes)) for door in doors()]
    entries = "\n".join(f"   {door}" for door, _ in pages)
    rows = ((f":doc:`{door}`", _summary(import_module(door))) for door in doors())
    about = "What these packages list in ``__all__`` is public. The rest may change at any time."
    yield "index", f"{_title('Python API')}\n{about}\n\n{_table(rows)}\n.. toctree::\n   :hidden:\n\n{entries}\n"
    yield from pages


def _page(door: str, homes: dict[int, str]) -> str:
    module = import_module(door)
    rows, parts = [], []
    for name in sorted(module.__all__, key=str.lower):
        value, full = getattr(module, name), f"{door}.{name}"
        if isinstance(value, ModuleType):
            rows.append((f":doc:`{name} <{value.__name__}>`", _summary(value)))
            continue
        shared = inspect.isclass(value) or inspect.isroutine(value)
        home = homes.setdefault(id(value), full) if shared else full
        rows.append((f":py:obj:`{name} <{home}>`", _summary(value) if shared else _data_docstring(door, name)))
        if home == full:
            parts.append(_described(full, value, _data_docstring(door, name)))
    return f"{_title(door)}\n.. automodule:: {door}\n   :no-members:\n\n{_table(rows)}\n{''.join(parts)}"


def _described(full: str, value: Any, docstring: str) -> str:
    if inspect.isclass(value):
        hidden = ", ".join(["model_config", "model_post_init", *_attributes(value)])
        return f".. autoclass:: {full}\n   :members:\n   :undoc-members:\n   :exclude-members: {hidden}\n\n"
    if inspect.isroutine(value):
        return f".. autofunction:: {full}\n\n"
    shown = repr(value)
    value_line = f"   :value: {shown}\n" if len(shown) < _WIDTH else ""
    return f".. py:data:: {full}\n{value_line}\n   {docstring}\n\n"


def _attributes(value: type) -> list[str]:
    """What the docstring of a class describes as attributes, so that nothing is described twice."""
    _, _, section = (value.__doc__ or "").partition("    Attributes\n    ----------\n")
    section = section.partition("\n\n")[0]
    return [
        name
        for line in re.findall(r"^    (\w[^:\n]*)", section, flags=re.MULTILINE)
        for name in re.findall(r"\w+", line)
    ]


def _data_docstring(door: str, name: str) -> str:
    """The string below a constant, where it is assigned; nothing for what is no constant or has none."""
    tree = ast.parse(Path(import_module(door).__file__ or "").read_text())
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and name in (alias.name for alias in node.names):
            return _data_docstring(node.module, name)
    for node, after in zip(tree.body, tree.body[1:], strict=False):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value)).replace("\n", " ")
    return ""


def _summary(value: object) -> str:
    """The first paragraph of a docstring, in a line."""
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"   * - {left}\n     - {right}\n" for left, right in rows)
    return f".. list-table::\n   :widths: 35 65\n\n{lines}"


def commands_page() -> str:
    """The help of every command, in Markdown."""
    parts = ["# Commands\n"]
    for path, command in commands():
        context = click.Context(command, info_name=path, max_content_width=_WIDTH, terminal_width=_WIDTH)
        parts.append(f"{'#' * min(3, 1 + len(path.split()))} `{path}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and subcommand, as (``cascade zoo list``, command)."""
    waiting: list[tuple[str, Any]] = [("cascade", get_command(app))]
    while waiting:
        path, command = waiting.pop(0)
        yield path, command
        waiting[:0] = [(f"{path} {name}", one) for name, one in getattr(command, "commands", {}).items()]
