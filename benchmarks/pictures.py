"""Draws the pictures of the documentation anew, each by the command that stands in a page.

python benchmarks/pictures.py             # all of them
python benchmarks/pictures.py rates.png
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def named() -> list[str]:
    """Pictures that pages show."""
    return re.findall(r"!\[[^]]*\]\((?:docs/)?images/([^)]+)\)", "\n".join(_pages()))


def commands() -> dict[str, str]:
    """What makes each picture, as it stands in a page."""
    found = re.findall(r"^((?:cascade|python -m workshop) plot .* --out docs/images/(\S+))$", "\n".join(_pages()), re.M)
    return {picture: command for command, picture in found}


def _pages() -> Iterator[str]:
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("benchmarks/**/README.md"))]
    return (page.read_text() for page in pages)


if __name__ == "__main__":
    for picture, command in commands().items():
        if picture in (sys.argv[1:] or [picture]):
            subprocess.run(["bash", "-c", command], cwd=ROOT, check=True)
