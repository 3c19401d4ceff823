"""Tutorials as notebooks: what is plain Markdown in docs/tutorials/, Jupyter opens from the site."""

import re
from typing import Any

_PLAIN = """# commands write plain text into this notebook
import os

for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)
os.environ["COLUMNS"] = "110"
"""

_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def notebook(text: str) -> dict[str, Any]:
    """A page as a notebook of nbformat 4, its blocks for Python and a shell as cells.

    A block under ``<!-- not run: reason -->`` stays text. The first cell, which the site hides, is Jupyter's own need.
    """
    cells, done = [_cell("code", _PLAIN) | {"metadata": {"tags": ["remove-cell"]}}], 0
    for block in _BLOCK.finditer(text):
        before = text[done : block.start()]
        if before.endswith(" -->\n") and "<!-- not run: " in before.splitlines()[-1]:
            continue
        cells += [_cell("markdown", before), _cell("code", ("%%bash\n" if block[1] == "sh" else "") + block[2])]
        done = block.end()
    cells.append(_cell("markdown", text[done:]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells) if cell["source"]],
    }


def _cell(kind: str, text: str) -> dict[str, Any]:
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": text.strip("\n")} | outputs
