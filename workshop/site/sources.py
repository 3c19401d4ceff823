"""Which documents the site is made of, where they stand in it, and what its index says of them."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workshop import CHECKOUT

INDEX = CHECKOUT / "docs" / "README.md"
"""The index: a heading for each section, and a list of the pages in it."""


def documents() -> list[Path]:
    """Every page of Markdown that readers are meant to find, the index first."""
    return [
        INDEX,
        *sorted(set(CHECKOUT.glob("docs/**/*.md")) - {INDEX}),
        *(CHECKOUT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
        *sorted(CHECKOUT.glob("benchmarks/**/README.md")),
        *(CHECKOUT / folder / "README.md" for folder in ("checkpoints", "workshop")),
    ]


def is_tutorial(document: Path) -> bool:
    """Whether a page's blocks of code run one after another, as one session: it is a notebook on the site."""
    return document.parent.name == "tutorials"


def page_of(document: Path) -> str:
    """The page that a document is on the site, without a suffix: ``models``, ``tutorials/decode``, ``benchmarks``."""
    path = PurePosixPath(document.relative_to(CHECKOUT).as_posix()).with_suffix("")
    if document == INDEX:
        return "index"
    if path.name == "README" and path.parent.name:
        return str(path.parent)
    return str(path.relative_to("docs")) if path.parts[0] == "docs" else path.name.lower()


@dataclass(frozen=True)
class Section:
    """A section of the index: its heading, and what its list links to, as (title, target)."""

    heading: str
    links: list[tuple[str, str]]


def sections() -> list[Section]:
    """The sections of the index, in order."""
    _, *parts = re.split(r"^## (.+)\n", INDEX.read_text(), flags=re.MULTILINE)
    return [
        Section(heading, re.findall(r"^\* \[([^]]+)\]\(([^)]+)\)", text, flags=re.MULTILINE))
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    ]
