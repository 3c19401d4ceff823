"""Links: from places in the checkout to places on the site, and whether all of them lead somewhere."""

import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def relinked(text: str, at: Path, page: str, place: Callable[[Path], str]) -> str:
    """Markdown with its relative links turned to where their targets are on the site.

    Parameters
    ----------
    at
        The document that the text is of.
    page
        The page that it becomes.
    place
        Where a file or folder of the checkout is on the site.
    """

    def turned(link: re.Match[str]) -> str:
        target, hash, anchor = link[2].partition("#")
        if not target or re.match(r"\w+:", target):
            return link[0]
        found = os.path.relpath(place((at.parent / target).resolve()), os.path.dirname(page) or ".")
        return f"{link[1]}{found}{hash}{anchor}{link[3]}"

    parts = _CODE.split(text)
    return "".join(part if number % 2 else _LINK.sub(turned, part) for number, part in enumerate(parts))


class _Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets, self.anchors = set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value}
        self.targets |= {found[name] for name in ("href", "src") if name in found}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}


def lost(site: Path) -> list[str]:
    """Links within a built site that lead nowhere, as ``page: target``."""
    pages = {path.resolve(): _Page(path.read_text()) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for target in sorted(page.targets):
            name, _, anchor = target.partition("#")
            if re.match(r"\w+:|//", name):
                continue  # elsewhere on the network
            file = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
            there = file.is_file() and (not anchor or file not in pages or unquote(anchor) in pages[file].anchors)
            if not there:
                found.append(f"{path.relative_to(site.resolve())}: {target}")
    return found
