"""Tutorials as notebooks: what is plain Markdown in docs/tutorials/, Jupyter opens from the site."""

import re
from typing import Any

_SHELL = """# what the cells with commands run in
import os
import subprocess

import matplotlib.pyplot as plt

plt.close(plt.figure())  # Jupyter shows figures of any origin from here on


def shell(commands):
    jupyters = ("FORCE_COLOR", "CLICOLOR_FORCE", "MPLBACKEND")  # not for plain text
    settings = {name: value for name, value in os.environ.items() if name not in jupyters} | {"COLUMNS": "110"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    print(done.stdout, end="")
    done.check_returncode()
"""

_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def notebook(text: str) -> dict[str, Any]:
    """A page as a notebook of nbformat 4, its blocks for Python and a shell as cells.

    A block for a shell stays text, with a cell below it that runs it, whose source the site hides. A block under
    ``<!-- not run: reason -->`` stays text alone.
    """
    cells, shown = [_cell("code", _SHELL, "remove-cell")], 0
    for block in _BLOCK.finditer(text):
        if text[: block.start()].endswith(" -->\n") and "<!-- not run: " in text[: block.start()].splitlines()[-1]:
            continue
        python = block[1] == "python"
        cells.append(_cell("markdown", text[shown : block.start() if python else block.end()]))
        cells.append(_cell("code", block[2]) if python else _cell("code", f"shell({block[2]!r})", "remove-input"))
        shown = block.end()
    cells.append(_cell("markdown", text[shown:]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells) if cell["source"]],
    }


def _cell(kind: str, text: str, *tags: str) -> dict[str, Any]:
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {"tags": [*tags]}, "source": text.strip("\n")} | outputs
