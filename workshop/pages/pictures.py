"""Pictures of the documentation, each drawn by the command that stands in a page."""

import re
import subprocess
from collections.abc import Iterator, Sequence

from workshop import CHECKOUT


def named() -> list[str]:
    """Pictures that pages show."""
    return re.findall(r"!\[[^]]*\]\((?:docs/)?images/([^)]+)\)", "\n".join(_pages()))


def commands() -> dict[str, str]:
    """What makes each picture, as it stands in a page."""
    found = re.findall(r"^((?:cascade|python -m workshop) plot .* --out docs/images/(\S+))$", "\n".join(_pages()), re.M)
    return {picture: command for command, picture in found}


def _pages() -> Iterator[str]:
    for pattern in ("README.md", "docs/*.md", "benchmarks/**/README.md"):
        for page in sorted(CHECKOUT.glob(pattern)):
            yield page.read_text()


def draw(pictures: Sequence[str]) -> None:
    """Draw these, or all of them where none is named."""
    for picture, command in commands().items():
        if picture in (pictures or [picture]):
            subprocess.run(["bash", "-c", command], cwd=CHECKOUT, check=True)
